// The field for a token, for services with log-in. Without it the dashboard's cookie speaks for the person.

import { keepToken, token } from "../state/token.js";
import { byId } from "./dom.js";

export function startToken() {
  const [form, field, button] = [byId("token-form"), byId("token-field"), byId("token-button")];
  const show = () => {
    button.setAttribute("aria-expanded", String(!form.hidden));
    button.textContent = token() ? "Token: set" : "Token";
  };
  button.setAttribute("aria-controls", form.id);
  button.addEventListener("click", () => {
    form.hidden = !form.hidden;
    show();
    if (!form.hidden) field.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepToken(field.value);
    // Everything on the page was asked for by somebody else, or by nobody.
    location.reload();
  });
  byId("token-forget").addEventListener("click", () => (keepToken(""), location.reload()));
  show();
}
