"use strict";
// Tags reach the page as text, never as markup.
const texts = (() => {
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const shorten = (text, length) => {
    const plain = text.replace(/\s+/g, " ");
    if (plain.length <= length) return plain;
    const letters = window.Intl?.Segmenter ? Array.from(new Intl.Segmenter().segment(plain), (s) => s.segment) : Array.from(plain);
    return letters.length <= length ? plain : letters.slice(0, length - 1).join("") + "…";
  };
  const number = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(3)));
  const entry = (text, colour, amount, onClick) => {
    const item = element("li"), button = element("button"), swatch = element("span", "swatch");
    button.type = "button";
    swatch.style.background = colour;
    button.append(swatch, element("bdi", "name", text), element("span", "number", amount));
    button.addEventListener("click", onClick);
    item.append(button);
    return item;
  };
  return { element, shorten, number, entry };
})();
