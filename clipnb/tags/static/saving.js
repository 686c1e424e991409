"use strict";
// What is seen as PNG or SVG; where everything stands as JSON, which can be read again.
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
    for (const { text, size, x, y, w, h } of drawing.titles()) {
      make(root, "rect", { x, y, width: w, height: h, rx: 5, fill: style.paper, "fill-opacity": 0.82 });
      make(root, "text", { x: x + 6, y: y + h / 2, "font-size": size, "font-weight": 600, "dominant-baseline": "central", fill: style.ink }, text);
    }
    hand(new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" }), `${name}.svg`);
  }
  function positions(drawing, name) {
    const { camera, settings, graph } = drawing, { top, leastCount, leastWeight } = settings;
    const nodes = drawing.view().items.map((item) => ({ id: graph.id[item.tag] ?? null, name: item.name, community: item.community, x: item.x, y: item.y }));
    const view = { x: camera.x, y: camera.y, scale: camera.k, top, leastCount, leastWeight: Number.isFinite(leastWeight) ? leastWeight : null,
      hidden: [...settings.hidden].map((i) => graph.names[i]) };
    hand(new Blob([JSON.stringify({ view, nodes })], { type: "application/json" }), `${name}.json`);
  }

  // Positions as they were saved, or the nodes of a graph with places; tags are known by their names. Returns how many are not here.
  function place(drawing, { view = {}, nodes }) {
    const { graph, settings } = drawing, isNumber = Number.isFinite, known = new Map(graph.names.map((name, i) => [name, i]));
    const places = new Map(), tags = [], rolled = new Set();
    for (const { id, name, x, y } of nodes) {
      const group = id === null ? graph.communities.findIndex((one) => one.name === name) : -1, tag = group < 0 ? known.get(name) : undefined;
      if (!isNumber(x) || !isNumber(y) || (group < 0 && tag === undefined)) continue;
      places.set(group < 0 ? tag : -1 - group, { x, y });
      if (group < 0) tags.push(tag); else rolled.add(group);
    }
    if (!places.size) throw new Error("none of its tags is in this graph, or none has a place");
    const hidden = new Set((Array.isArray(view.hidden) ? view.hidden : []).map((name) => known.get(name)).filter((tag) => tag !== undefined));
    const [top, leastCount, leastWeight] = [[view.top, 0], [view.leastCount, 0], [view.leastWeight, -Infinity]].map(([value, usual]) => (isNumber(value) ? value : usual));
    const extra = new Set(tags.filter((tag) => tag >= top || graph.count[tag] < leastCount));
    drawing.update({ places, hidden, extra, rolled, top, leastCount, leastWeight });
    if ([view.x, view.y, view.scale].every(isNumber) && view.scale > 0) drawing.moveTo({ x: view.x, y: view.y, k: view.scale });
    return nodes.length - places.size;
  }
  return { png, svg, positions, place };
})();
