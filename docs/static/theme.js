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
