// Pages that do not come over HTTPS or from this machine have no clipboard of their own: copy what is selected.
function copySelected(text) {
  const holder = document.createElement("textarea");
  holder.value = text;
  holder.style.cssText = "position: fixed; opacity: 0";
  document.body.append(holder);
  holder.select();
  try {
    return document.execCommand("copy");
  } finally {
    holder.remove();
  }
}

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
      name(copySelected(model.get("text")) ? "Copied" : "Select the text and press Ctrl+C");
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
