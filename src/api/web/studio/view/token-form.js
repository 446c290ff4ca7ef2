// The field for a token, for services with log-in: it shows itself when the service asks for one. Where the
// dashboard's cookie authenticates the person, it stays hidden.

import { onTokenWanted } from "../service/api.js";
import { keepToken, token } from "../state/token.js";
import { byId } from "./dom.js";

/** @param {() => void} onToken the user has changed, and the page cannot be reloaded */
export function startToken(onToken) {
  const [form, field, button] = [byId("token-form"), byId("token-field"), byId("token-button")];
  /** @param {boolean} isOpen */
  const show = (isOpen) => {
    form.hidden = !isOpen;
    button.hidden = !isOpen && button.hidden && !token();
    button.setAttribute("aria-expanded", String(isOpen));
    button.textContent = token() ? "Token: set" : "Token";
  };
  /** @param {string} value */
  const use = (value) => {
    // Everything on the page was requested by another user, or without one.
    if (keepToken(value)) return location.reload();
    show(false);
    onToken();
  };
  button.setAttribute("aria-controls", form.id);
  button.addEventListener("click", () => {
    show(Boolean(form.hidden));
    if (!form.hidden) field.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    use(field.value);
  });
  byId("token-forget").addEventListener("click", () => use(""));
  // Without the keyboard going there: a person may be writing.
  onTokenWanted(() => show(true));
  show(false);
}
