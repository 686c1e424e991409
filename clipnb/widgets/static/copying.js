function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "lm-Widget jupyter-widgets jupyter-button widget-button clipnb-copy";
  const name = (text) => { button.textContent = text; };
  const copy = async () => {
    name(await copyText(model.get("text")));
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
