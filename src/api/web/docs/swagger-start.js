"use strict";
// The page's policy allows no script inside the page itself, so its start is a file of its own.
// Swagger has a dark look, which it wears when the page says so: as the system does.
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
    // Examples hold whole strategies: one model at a time is enough to read.
    defaultModelsExpandDepth: 0,
    // No document of ours is sent to a validator elsewhere.
    validatorUrl: null,
  });
});
