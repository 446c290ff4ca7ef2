"use strict";
// The page's policy allows no script inside the page itself, so its start is a file of its own.
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
