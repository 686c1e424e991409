// What ipywidgets leave out: names of sliders, of the buttons of a film, and of images, for those who hear a page
// instead of seeing it; a button that copies the details of a mistake; and word that a frame has arrived.
const FILM = ["Play", "Stop", "Repeat"];

function nameParts(panel) {
  const name = (parts, words) => {
    for (const part of parts) if (words && part.getAttribute("aria-label") !== words) part.setAttribute("aria-label", words);
  };
  for (const slider of panel.querySelectorAll(".widget-slider")) {
    const words = slider.querySelector(".widget-label")?.textContent || slider.title;
    for (const readout of slider.querySelectorAll(".widget-readout[contenteditable]")) readout.setAttribute("role", "textbox");
    name(slider.querySelectorAll("[role=slider], [role=textbox], .ui-slider-handle"), words);
  }
  for (const field of panel.querySelectorAll(":is(input, select, textarea)[title]")) name([field], field.title);
  for (const film of panel.querySelectorAll(".widget-play"))
    film.querySelectorAll("button").forEach((button, place) => name([button], FILM[place]));
  for (const image of panel.querySelectorAll("img.widget-image")) {
    const words = image.nextElementSibling?.textContent.trim() || "picture"; // its caption
    if (image.alt !== words) image.alt = words;
  }
  for (const details of panel.querySelectorAll(".clipnb-problem details")) addCopying(details);
}

function addCopying(details) {
  const text = details.querySelector("pre");
  if (!text || details.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "jupyter-button widget-button";
  button.textContent = "Copy details";
  button.addEventListener("click", async () => {
    button.textContent = await copyText(text.textContent);
    setTimeout(() => { button.textContent = "Copy details"; }, 1500);
  });
  text.before(button);
}

function initialize({ model }) {
  const page = Math.floor(Math.random() * 2 ** 52); // several may show one panel
  const answer = (message) => model.send({ answered: message.asked, page });
  model.on("msg:custom", answer);
  return () => model.off("msg:custom", answer);
}

function render({ el }) {
  let observer;
  const timer = setInterval(() => { // it is in no panel before the page has laid it out
    const panel = el.closest(".clipnb-panel");
    if (!panel) return;
    clearInterval(timer);
    nameParts(panel);
    observer = new MutationObserver(() => nameParts(panel));
    observer.observe(panel, { childList: true, subtree: true });
  }, 50);
  return () => {
    clearInterval(timer);
    observer?.disconnect();
  };
}
export default { initialize, render };
