"use strict";
// Places for what is drawn: communities apart, room for names, tags without a line aside. Large views bring their places.
const arrange = (() => {
  const MOST = 1500, ROOMS = 700, NEAREST = 2 / 3;  // units of the plane a pixel at least: a view is enlarged by no more than one and a half
  const spiral = (i, step) => ({ x: step * Math.sqrt(i) * Math.cos(2.4 * i), y: step * Math.sqrt(i) * Math.sin(2.4 * i) });

  function start(items, old) {
    const seen = new Map();
    let kept = 0;
    for (const item of items) {
      const before = old?.get(item.tag < 0 ? -1 - item.community : item.tag);
      const group = seen.get(item.community) ?? { place: seen.size, members: 0 };
      seen.set(item.community, group);
      const centre = spiral(group.place, 230), own = spiral(group.members++, 28);
      item.x = before ? before.x : centre.x + own.x;
      item.y = before ? before.y : centre.y + own.y;
      kept += before ? 1 : 0;
    }
    return kept > 0.5 * items.length;
  }

  // Forces after Fruchterman and Reingold (1991); pairs across communities pull little, and a community's centre a bit.
  function relax(items, lines, warm, ratio) {
    const n = items.length, length = 46, xs = Float64Array.from(items, (i) => i.x), ys = Float64Array.from(items, (i) => i.y);
    const rounds = Math.max(40, Math.min(warm ? 90 : 320, Math.round(4e7 / (n * n + 1))));
    const groups = new Map();
    items.forEach((item, i) => { const g = groups.get(item.community); if (g) g.push(i); else groups.set(item.community, [i]); });
    const dx = new Float64Array(n), dy = new Float64Array(n);
    for (let round = 0; round < rounds; round++) {
      dx.fill(0); dy.fill(0);
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) {
        const x = xs[i] - xs[j] || 0.01 * (i - j), y = ys[i] - ys[j], push = (length * length) / (x * x + y * y + 1);
        dx[i] += x * push; dy[i] += y * push; dx[j] -= x * push; dy[j] -= y * push;
      }
      for (let e = 0; e < lines.from.length; e++) {
        const a = lines.from[e], b = lines.to[e], x = xs[a] - xs[b], y = ys[a] - ys[b];
        const inside = 1.2 / Math.max(4, items[a].lines + items[b].lines);  // less for each where they are many, or they would be a lump
        const pull = (Math.hypot(x, y) / length) * (items[a].community === items[b].community ? inside : 0.012);
        dx[a] -= x * pull; dy[a] -= y * pull; dx[b] += x * pull; dy[b] += y * pull;
      }
      for (const members of groups.values()) {
        let x = 0, y = 0;
        for (const i of members) { x += xs[i] / members.length; y += ys[i] / members.length; }
        for (const i of members) { dx[i] += 0.25 * (x - xs[i]); dy[i] += 0.25 * (y - ys[i]); }
      }
      const heat = (warm ? 12 : 60) * (1 - round / rounds) + 0.5;
      for (let i = 0; i < n; i++) {
        dx[i] -= 0.3 * xs[i]; dy[i] -= 0.3 * ratio * ys[i];
        const far = Math.hypot(dx[i], dy[i]) || 1, step = Math.min(far, heat) / far;
        xs[i] += dx[i] * step; ys[i] += dy[i] * step;
      }
    }
    items.forEach((item, i) => { item.x = xs[i]; item.y = ys[i]; });
  }

  const bounds = (items) => {
    let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
    for (const { x, y } of items) { left = Math.min(left, x); right = Math.max(right, x); top = Math.min(top, y); bottom = Math.max(bottom, y); }
    return items.length ? { left, right, top, bottom } : { left: 0, right: 0, top: 0, bottom: 0 };
  };

  function makeRoom(items, across, down, boxOf) {  // for each dot with its name to the right of it, as long as there is any
    let room = 0.6 * across * down;
    const boxes = items.map((item) => {
      const { wide, high } = boxOf(item), r = item.r;
      room -= (wide + 2 * r) * (high + 2);
      return room > 0 ? { wide: wide + 2 * r + 6, high: Math.max(2 * r, high) + 2, aside: wide / 2 } : { wide: 2 * r + 4, high: 2 * r + 4, aside: 0 };
    });
    const bare = items.map(({ r }) => ({ wide: 2 * r + 1.5, high: 2 * r + 1.5, aside: 0 }));
    for (const [all, rounds] of [[boxes, 160], [bare, 60]]) {  // at last the dots alone, so that none lies on another
      for (let round = 0; round < (items.length <= ROOMS ? rounds : 0); round++) {
        const { left, right, top, bottom } = bounds(items);
        if (!pushApart(items, all, Math.max((right - left) / across, (bottom - top) / down, NEAREST))) break;
      }
    }
  }
  function pushApart(items, boxes, pixel) {
    let moved = false;
    for (let i = 0; i < items.length; i++) for (let j = i + 1; j < items.length; j++) {
      const p = items[i], q = items[j], x = q.x - p.x + (boxes[j].aside - boxes[i].aside) * pixel, y = q.y - p.y;
      const overX = ((boxes[i].wide + boxes[j].wide) / 2) * pixel - Math.abs(x);
      const overY = ((boxes[i].high + boxes[j].high) / 2) * pixel - Math.abs(y);
      if (overX <= 0 || overY <= 0) continue;
      moved = true;
      if (overX < overY) { const push = 0.25 * overX * (x < 0 ? -1 : 1); p.x -= push; q.x += push; }
      else { const push = 0.25 * overY * (y < 0 ? -1 : 1); p.y -= push; q.y += push; }
    }
    return moved;
  }

  function setAside(alone, { left, right, bottom }, pixel, ratio, boxOf) {  // rows below the rest, with names where they are few
    const few = alone.length <= 150, size = alone.reduce((most, { r }) => Math.max(most, 2 * r + 6), 0);
    const high = Math.max(few ? 26 : 0, size), stepOf = (item) => (few ? boxOf(item).wide + 2 * item.r + 14 : size);
    const square = Math.sqrt(ratio * high * alone.reduce((sum, item) => sum + stepOf(item), 0)), wide = Math.max(right - left, square * pixel);
    let x = 0, y = bottom + 46 * pixel;
    for (const item of alone) {
      const step = stepOf(item) * pixel;
      if (x + step > wide) { x = 0; y += high * pixel; }
      item.x = left + x + item.r * pixel;
      item.y = y;
      x += step;
    }
  }

  const arrange = (graph, { items, lines }, width, height, boxOf, old) => {
    if (items.length > MOST && graph.x) return;  // they came with their places
    const bound = items.filter((item) => item.lines), alone = items.filter((item) => !item.lines);
    const number = new Map(bound.map((item, i) => [item, i])), numbers = items.map((item) => number.get(item));
    const across = Math.max(200, width - Math.min(190, width / 4)), down = Math.max(160, height - 60);
    const warm = start(bound, old);
    relax(bound, { from: lines.from.map((i) => numbers[i]), to: lines.to.map((i) => numbers[i]) }, warm, across / down);
    const { left, right, top, bottom } = bounds(bound);
    const stretch = Math.max(0.5, Math.min(2.2, (across / down) * ((bottom - top + 1) / (right - left + 1))));
    if (bound.length > 2) for (const item of bound) item.x *= stretch;
    makeRoom(bound, across, down, boxOf);
    const box = bounds(bound), pixel = Math.max((box.right - box.left) / across, (box.bottom - box.top) / down, NEAREST);
    setAside(alone, box, pixel, across / down, boxOf);
  };
  return Object.assign(arrange, { bounds, MOST });
})();
