function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "lm-Widget jupyter-widgets jupyter-button widget-button clipnb-copy";
  const name = (text) => { button.textContent = text; };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(model.get("text"));
      name("Copied");
    } catch {
      name("Select the text and press Ctrl+C");  // the browser does not let pages copy here
    }
    setTimeout(() => name("Copy"), 1500);
  };
  const allow = () => { button.disabled = !model.get("text"); };
  button.addEventListener("click", copy);
  model.on("change:text", allow);
  name("Copy");
  allow();
  el.append(button);
  return () => model.off("change:text", allow);
}
export default { render };
