// ReDoc has one theme at a time: set it to the system's, and again when that changes.
const DARK = {
  colors: {
    primary: { main: "#79b8ff" },
    text: { primary: "#e6edf3", secondary: "#9da7b3" },
    border: { dark: "#30363d", light: "#30363d" },
    http: { get: "#3fb950", post: "#58a6ff", delete: "#f85149" },
    responses: {
      success: { color: "#3fb950", backgroundColor: "#12261a", tabTextColor: "#3fb950" },
      error: { color: "#ff7b72", backgroundColor: "#2d1416", tabTextColor: "#ff7b72" },
      redirect: { color: "#d29922", backgroundColor: "#2a2111", tabTextColor: "#d29922" },
      info: { color: "#79b8ff", backgroundColor: "#10213a", tabTextColor: "#79b8ff" },
    },
  },
  schema: { nestedBackground: "#161b22", linesColor: "#30363d", typeNameColor: "#9da7b3", typeTitleColor: "#9da7b3" },
  sidebar: { backgroundColor: "#161b22", textColor: "#e6edf3", activeTextColor: "#79b8ff" },
  rightPanel: { backgroundColor: "#0b0e12" },
  typography: { code: { color: "#ffa198", backgroundColor: "#161b22" }, links: { color: "#79b8ff" } },
};
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const show = () => {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
  const theme = dark.matches ? DARK : {};
  const options = { hideDownloadButton: true, requiredPropsFirst: true, theme };
  Redoc.init("openapi.json", options, document.getElementById("redoc"));
};
dark.addEventListener("change", show);
window.addEventListener("load", show);
