"use strict";
// Names: as many as have room, the most frequent first, none over another and none over the dot of another tag.
const nameTags = ({ view, camera, look, graph, lit, marked, boxOf, isFar }, context, style) => {
  const CELL = 36, MOST_DOTS = 4000, MOST_NAMES = 600, { items } = view;
  const cells = new Map(), visible = [], taken = [], shown = [], titles = [];
  let largest = 0;
  for (let place = 0; place < items.length; place++) {
    const item = items[place], x = camera.sx(item), y = camera.sy(item), r = look.radius(item);
    if (x < -60 || y < -20 || x > camera.width + 60 || y > camera.height + 20) continue;
    visible.push({ item, place, x, y, r });
    if (visible.length > MOST_DOTS) break;
  }
  const crowded = visible.length > MOST_DOTS;
  if (crowded) {  // only what is looked at; its dots stand out of the dimmed rest
    visible.length = 0;
    for (const place of lit?.places ?? []) visible.push({ item: items[place], place, x: camera.sx(items[place]), y: camera.sy(items[place]), r: look.radius(items[place]) });
    visible.length = Math.min(visible.length, MOST_DOTS);
  }
  for (const dot of visible) {
    const key = Math.floor(dot.x / CELL) + 4096 * Math.floor(dot.y / CELL);
    largest = Math.max(largest, dot.r);
    if (cells.has(key)) cells.get(key).push(dot); else cells.set(key, [dot]);
  }
  const overlaps = (box) => taken.some((o) => box.x < o.x + o.w && o.x < box.x + box.w && box.y < o.y + o.h && o.y < box.y + box.h);
  const coversDot = (box, own) => {
    for (let cx = Math.floor((box.x - largest) / CELL); cx <= Math.floor((box.x + box.w + largest) / CELL); cx++) {
      for (let cy = Math.floor((box.y - largest) / CELL); cy <= Math.floor((box.y + box.h + largest) / CELL); cy++) {
        for (const { item, x, y, r } of cells.get(cx + 4096 * cy) ?? []) {
          if (item === own) continue;
          const dx = x - Math.max(box.x, Math.min(x, box.x + box.w)), dy = y - Math.max(box.y, Math.min(y, box.y + box.h));
          if (dx * dx + dy * dy < r * r) return true;
        }
      }
    }
    return false;
  };
  if (isFar && !lit) for (const title of communityNames()) titles.push(title);
  const first = ({ item, place }) => (marked.has(item.tag) ? 3 : lit?.places.has(place) ? 2 : item.tag < 0 ? 1 : 0);
  const wanted = visible.filter((dot) => !lit || first(dot) >= 2);
  wanted.sort((a, b) => first(b) - first(a) || b.item.count - a.item.count);
  for (const { item, x, y, r } of wanted.slice(0, MOST_NAMES)) {
    const { text, size, wide: w, high: h } = boxOf(item), gap = item.tag < 0 ? 5 : 2;
    const spots = [{ x: x + r + gap, y: y - h / 2 }, { x: x - w / 2, y: y + r + gap - 1 }, { x: x - r - w - gap, y: y - h / 2 }, { x: x - w / 2, y: y - r - h - gap + 1 },
      { x: x + 0.7 * r + gap, y: y + 0.7 * r }, { x: x + 0.7 * r + gap, y: y - 0.7 * r - h },
      { x: x - 0.7 * r - w - gap, y: y + 0.7 * r }, { x: x - 0.7 * r - w - gap, y: y - 0.7 * r - h }];
    const spot = spots.map((s) => ({ ...s, w, h })).find((s) => s.x >= 0 && s.y >= 0 && s.x + w <= camera.width && s.y + h <= camera.height
      && !overlaps(s) && !coversDot(s, item));
    if (!spot) continue;
    taken.push(spot);
    shown.push({ id: graph.id[item.tag] ?? -1, item, text, size, ...spot, at: { x, y } });
  }
  function communityNames() {
    const centres = new Map();
    for (const item of items) {
      const c = centres.get(item.community) ?? { x: 0, y: 0, n: 0, weight: 0 };
      const weight = Math.sqrt(item.count);
      c.x += weight * item.x; c.y += weight * item.y; c.weight += weight; c.n++;
      centres.set(item.community, c);
    }
    const found = [];
    const ranked = [...centres].filter(([, c]) => c.n > 2).sort((a, b) => b[1].n - a[1].n).slice(0, 60);
    for (const [community, c] of ranked) {
      const size = 11 + 6 * Math.sqrt(c.n / ranked[0][1].n), text = texts.shorten(graph.communities[community].name.split(", ").slice(0, ranked.length > 20 ? 1 : 2).join(", "), 26);
      context.font = `600 ${size}px ${style.font}`;
      const w = context.measureText(text).width + 12, h = size * 1.4;
      const at = { x: camera.sx({ x: c.x / c.weight, y: 0 }), y: camera.sy({ x: 0, y: c.y / c.weight }) };
      const box = { x: Math.max(2, Math.min(camera.width - w - 2, at.x - w / 2)), y: at.y - h / 2, w, h };
      if (at.x < 0 || at.x > camera.width || box.y < 0 || box.y + h > camera.height || overlaps(box)) continue;
      taken.push(box);
      found.push({ ...box, text, size, community });
    }
    return found;
  }
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const { item, text, size, x, y, h } of shown) {
    context.font = `${item.tag < 0 ? "600 " : ""}${size}px ${style.font}`;
    context.lineWidth = 3.5;
    context.strokeStyle = style.paper;
    context.strokeText(text, x + 2, y + h / 2);
    context.fillStyle = look.isMarked(item) ? style.accent : style.ink;
    context.fillText(text, x + 2, y + h / 2);
  }
  for (const { text, size, x, y, w, h } of titles) {
    context.globalAlpha = 0.82;
    context.fillStyle = style.paper;
    context.beginPath();
    context.roundRect(x, y, w, h, 5);
    context.fill();
    context.globalAlpha = 1;
    context.font = `600 ${size}px ${style.font}`;
    context.fillStyle = style.ink;
    context.fillText(text, x + 6, y + h / 2);
  }
  shown.left = crowded ? 0 : wanted.length - shown.length;
  return { shown, titles };
};
