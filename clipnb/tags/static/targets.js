"use strict";
// What is under the pointer: a tag by its name or dot, a community by its title, a line; the most exact first.
const findTargets = ({ camera, look, seen }) => {  // seen() is what is drawn just now
  function hit({ x, y }, slack = 4) {
    const { view, shown } = seen(), named = shown.find((n) => x >= n.x && x <= n.x + n.w && y >= n.y && y <= n.y + n.h);
    if (named) return named.item;
    let best = null, least = Infinity;
    for (const item of view.items) {
      const far = Math.hypot(camera.sx(item) - x, camera.sy(item) - y) - look.radius(item);
      if (far < slack && far < least) { best = item; least = far; }
    }
    return best;
  }
  const isSeen = (x, y) => x > 0 && y > 0 && x < camera.width && y < camera.height;
  function hitLine({ x, y }) {
    const { view, lit, isGl } = seen(), { from, to } = view.lines, amount = isGl ? Math.min(from.length, 30000) : from.length;
    let best = -1, least = 5;
    for (let e = 0; e < amount; e++) {
      const a = view.items[from[e]], b = view.items[to[e]], ax = camera.sx(a), ay = camera.sy(a), bx = camera.sx(b) - ax, by = camera.sy(b) - ay;
      if (isGl && !isSeen(ax, ay) && !isSeen(ax + bx, ay + by)) continue;  // lines that only pass through
      const t = Math.max(0, Math.min(1, ((x - ax) * bx + (y - ay) * by) / (bx * bx + by * by || 1)));
      const far = Math.hypot(ax + t * bx - x, ay + t * by - y) + (lit && !lit.lines.includes(e) ? 3 : 0);
      if (far < least) { least = far; best = e; }
    }
    return best;
  }
  function target(at, slack) {
    const item = hit(at, slack), { view, titles, isFar, isGl } = seen();
    if (item) return item.tag < 0 ? { community: item.community } : { tag: item.tag };
    const title = titles.find((n) => at.x >= n.x && at.x <= n.x + n.w && at.y >= n.y && at.y <= n.y + n.h);
    if (title) return { community: title.community };
    const line = isFar && isGl ? -1 : hitLine(at);
    return line < 0 ? null : view.lines.pair[line] < 0 ? { line } : { pair: view.lines.pair[line] };
  }
  return { hit, target };
};
