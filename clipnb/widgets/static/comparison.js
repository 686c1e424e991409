// Two pictures in one place, the left one up to a line that is dragged, or moved by the arrow keys.
function render({ model, el }) {
  const make = (tag, css) => Object.assign(document.createElement(tag), { className: css });
  const root = make("div", "clipnb-comparison"), split = make("input", "clipnb-split"), line = make("span", "clipnb-line");
  Object.assign(split, { type: "range", min: 0, max: 1000, step: 5, value: 500 });
  split.setAttribute("aria-label", "the line between the two pictures");
  split.dataset.lmSuppressShortcuts = "true";
  const sides = ["right", "left"].map((side) => {
    const picture = make("img", `clipnb-${side}-side`), label = make("span", `clipnb-side-label clipnb-${side}-label`);
    picture.draggable = false;
    root.append(picture, label);
    let url = "";
    const end = () => { if (url) URL.revokeObjectURL(url); };
    const show = () => {
      const packed = model.get(side);
      end();
      url = packed?.byteLength ? URL.createObjectURL(new Blob([packed], { type: "image/jpeg" })) : "";
      if (url) picture.src = url;
      picture.hidden = !url;
    };
    const name = () => { picture.alt = label.textContent = model.get(`${side}_label`); };
    model.on(`change:${side}`, show);
    model.on(`change:${side}_label`, name);
    show();
    name();
    return () => { model.off(`change:${side}`, show); model.off(`change:${side}_label`, name); end(); };
  });
  root.append(split, line);
  el.append(root);
  const move = () => {
    root.style.setProperty("--split", `${split.value / 10}%`);
    split.setAttribute("aria-valuetext", `${Math.round(split.value / 10)} % ${model.get("left_label")}`);
  };
  split.addEventListener("input", move);
  move();
  return () => sides.forEach((end) => end());
}
export default { render };
