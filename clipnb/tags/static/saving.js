"use strict";
// What is seen as PNG or SVG, and where everything stands as JSON.
const saving = (() => {
  const hand = (blob, name) => {
    const link = texts.element("a"), url = URL.createObjectURL(blob);
    link.href = url;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  function png(drawing, name) {
    const { canvas, style } = drawing, whole = texts.element("canvas"), pen = whole.getContext("2d");
    whole.width = canvas.width;
    whole.height = canvas.height;
    pen.fillStyle = style.paper;
    pen.fillRect(0, 0, whole.width, whole.height);
    if (drawing.glCanvas()) pen.drawImage(drawing.glCanvas(), 0, 0);
    pen.drawImage(canvas, 0, 0);
    whole.toBlob((blob) => hand(blob, `${name}.png`));
  }
  function svg(drawing, name) {
    const { camera, look, style } = drawing, view = drawing.view(), MOST = 20_000;
    const plain = (text) => text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
    const make = (parent, tag, attributes, text) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, typeof value === "number" ? +value.toFixed(2) : value);
      if (text !== undefined) made.textContent = plain(text);
      parent?.append(made);
      return made;
    };
    const at = (item) => ({ x: camera.sx(item), y: camera.sy(item) });
    const seen = ({ x, y }) => x > -20 && y > -20 && x < camera.width + 20 && y < camera.height + 20;
    const root = make(null, "svg", { width: camera.width, height: camera.height, viewBox: `0 0 ${camera.width} ${camera.height}`, "font-family": style.font });
    make(root, "rect", { width: camera.width, height: camera.height, fill: style.paper });
    const { from, to } = view.lines;
    for (let e = Math.min(from.length, MOST) - 1; e >= 0; e--) {
      const a = at(view.items[from[e]]), b = at(view.items[to[e]]);
      if (!seen(a) && !seen(b)) continue;
      make(root, "line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y, stroke: `rgb(${look.lineTint(e)})`, "stroke-opacity": look.lineAlpha(e) / 255,
        "stroke-width": look.width(e), "stroke-dasharray": look.dashes(e).join(" ") || "none" });
    }
    for (const item of view.items.slice(0, MOST).reverse()) {
      const { x, y } = at(item);
      if (!seen({ x, y })) continue;
      const dot = make(root, "circle", { cx: x, cy: y, r: look.radius(item), fill: look.colour(item), stroke: style.paper });
      make(dot, "title", {}, item.name);
    }
    for (const { text, size, x, y, h } of drawing.names()) {
      make(root, "text", { x: x + 2, y: y + h / 2, "font-size": size, "dominant-baseline": "central", fill: style.ink, stroke: style.paper, "stroke-width": 3, "paint-order": "stroke" }, text);
    }
    hand(new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" }), `${name}.svg`);
  }
  function positions(drawing, name) {
    const { camera, settings } = drawing, listed = (tags) => [...tags].map((i) => drawing.graph.names[i]);
    const nodes = drawing.view().items.map((item) => ({ id: drawing.graph.id[item.tag] ?? null, name: item.name, community: item.community, x: item.x, y: item.y }));
    const view = { x: camera.x, y: camera.y, scale: camera.k, hidden: listed(settings.hidden) };
    hand(new Blob([JSON.stringify({ view, nodes })], { type: "application/json" }), `${name}.json`);
  }
  return { png, svg, positions };
})();
