// Typing over a selection, done by the editor itself. Left to the browser, it writes the look of what was selected
// into a style attribute, which the page's policy refuses with an error in the console.

import { EditorView } from "../vendor/codemirror.js";

export const typingOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    const text = event.data;
    if (event.inputType !== "insertText" || !text || empty || view.composing) return false;
    const insert = () => view.state.update({ ...view.state.replaceSelection(text), userEvent: "input.type", scrollIntoView: true });
    // Brackets and quotes close around a selection, as they do for any other input.
    const isHandled = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert));
    if (!isHandled) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});
