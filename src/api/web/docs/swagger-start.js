// The page's policy forbids inline scripts, so this start-up code is a separate file.
// Swagger has a dark theme, which follows a class on the page; the page follows the system.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const wear = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", wear);
wear();
window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    // Examples contain whole strategies, so models start collapsed.
    defaultModelsExpandDepth: 0,
    // Do not send our document to an external validator.
    validatorUrl: null,
  });
});
