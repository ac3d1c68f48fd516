/* Python in the browser needs a server, even if a small one: opened as a file, a page says so in place of the door. */
addEventListener("DOMContentLoaded", () => {
  if (location.protocol !== "file:") return;
  for (const door of document.querySelectorAll(".run-here")) {
    door.textContent =
      "Lessons run in the browser where a server gives them out. On your own computer: python3 -m http.server, " +
      "in the folder of this site, and then open http://localhost:8000";
  }
});

/* The pictures that compute follow the page's own switch between light and dark. */
addEventListener("DOMContentLoaded", () => {
  const page = document.documentElement;
  const follow = () => {
    for (const piece of document.querySelectorAll(".cr-player, .cr-playground")) {
      piece.dataset.theme = page.dataset.theme || "auto";
    }
  };
  new MutationObserver(follow).observe(page, { attributes: true, attributeFilter: ["data-theme"] });
  follow();
});
