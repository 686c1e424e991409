"use strict";
// A tag graph in columns, as `payload.py` packs it: tags by count, pairs by how much they say. Nothing here draws.
const openGraph = async (packed) => {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(stream).arrayBuffer();
  const size = new DataView(buffer).getUint32(0, true), columns = { i4: Int32Array, f4: Float32Array, u1: Uint8Array };
  const graph = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  let place = 4 + size;
  for (const [name, kind, length] of graph.columns) {
    const Column = columns[kind], end = place + length * Column.BYTES_PER_ELEMENT;
    graph[name] = new Column(buffer.slice(place, end));
    place = end;
  }
  return withQuestions(graph);
};

const withQuestions = (graph) => {
  const { names, count, prompts, community, source, target, together, weight, communities } = graph;
  const size = names.length, pairs = source.length, [certain, likely] = graph.bonds;
  let starts = null, around = null;  // the pairs of each tag, one after another; made when they are first asked for
  const pairsOf = (i) => {
    if (!starts) {
      [starts, around] = [new Int32Array(size + 1), new Int32Array(2 * pairs)];
      for (let e = 0; e < pairs; e++) { starts[source[e] + 1]++; starts[target[e] + 1]++; }
      for (let j = 0; j < size; j++) starts[j + 1] += starts[j];
      const next = starts.slice();
      for (let e = 0; e < pairs; e++) { around[next[source[e]]++] = e; around[next[target[e]]++] = e; }
    }
    return around.subarray(starts[i], starts[i + 1]);
  };
  const otherOf = (e, i) => (source[e] === i ? target[e] : source[e]);
  const expected = (e) => (prompts[source[e]] * prompts[target[e]]) / graph.prompts_in_all;
  const npmi = (e) => {
    const share = together[e] / graph.prompts_in_all;
    return share >= 1 ? 1 : Math.log(together[e] / expected(e)) / -Math.log(share);
  };
  const surprise = (e) => {  // the G-test, as `weights.py` has it
    const both = together[e], a = prompts[source[e]], b = prompts[target[e]], all = graph.prompts_in_all;
    const sum = (...numbers) => numbers.reduce((found, n) => found + (n > 0 ? n * Math.log(n) : 0), 0);
    return both && (both < expected(e) ? -2 : 2) * Math.max(sum(both, a - both, b - both, all - a - b + both, all) - sum(a, all - a, b, all - b), 0);
  };
  const closeness = graph.closeness_name === graph.weight_name ? (e) => weight[e] : surprise;
  const companions = (i, n = 15) => Array.from(pairsOf(i), (e) => [closeness(e), e]).sort((a, b) => b[0] - a[0] || together[b[1]] - together[a[1]])
    .slice(0, n).map(([close, e]) => ({ tag: otherOf(e, i), pair: e, close }));
  let places = null;
  const tagOf = (id) => (places ??= new Map(Array.from(graph.id, (own, i) => [own, i]))).get(id);
  const isFaint = (e) => e >= certain;  // near chance
  const examples = (...tags) => graph.examples.filter((one) => tags.every((tag) => one.tags.includes(tag))).map((one) => one.text);

  const fold = (text) => text.toLowerCase().normalize("NFKC");
  let folded = null;
  const search = (text, n = 30) => {  // those that begin with it first, then the most frequent
    const wanted = fold(text.trim());
    folded ??= names.map(fold);
    const first = [], then = [];
    for (let i = 0; i < size && wanted && first.length < n; i++) {
      if (folded[i].startsWith(wanted)) first.push(i); else if (then.length < n && folded[i].includes(wanted)) then.push(i);
    }
    return [...first, ...then].slice(0, n);
  };

  // ---- what of it is drawn --------------------------------------------------------------------
  // Each tag keeps its strongest pair, so that nothing that is bound floats about; the strongest of all fill up the rest.
  const choose = ({ top, leastCount, leastWeight, hidden, extra, rolled, linesPerTag }) => {
    const items = [], placeOf = new Int32Array(size).fill(-1), rolledPlace = new Map();
    const add = (tag, group, { name, count: amount, x, y }) => items.push({ tag, community: group, name, count: amount, x: x ?? 0, y: y ?? 0, lines: 0, r: 0, box: null }) - 1;
    const take = (i) => {
      const group = community[i];
      if (!rolled.has(group)) { placeOf[i] = add(i, group, { name: names[i], count: count[i], x: graph.x?.[i], y: graph.y?.[i] }); return; }
      if (!rolledPlace.has(group)) rolledPlace.set(group, add(-1, group, communities[group]));
      placeOf[i] = rolledPlace.get(group);
    };
    for (let i = 0; i < size && i < top; i++) if (count[i] >= leastCount && !hidden.has(i)) take(i);
    for (const i of extra) if (placeOf[i] < 0 && !hidden.has(i)) take(i);
    const limit = Math.round(linesPerTag * items.length), touched = new Uint8Array(items.length), merged = new Map();
    const first = new Int32Array(items.length), rest = new Int32Array(limit);
    let firsts = 0, rests = 0;
    const usable = certain + likely || pairs;  // those rarer than chance only where there are no others
    for (let e = 0; e < usable; e++) {
      const a = placeOf[source[e]], b = placeOf[target[e]];
      if (a < 0 || b < 0 || a === b || weight[e] < leastWeight) continue;
      if (items[a].tag < 0 || items[b].tag < 0) {
        const key = Math.min(a, b) * items.length + Math.max(a, b), old = merged.get(key);
        if (old) { old.weight += weight[e]; old.together += together[e]; } else merged.set(key, { a, b, weight: weight[e], together: together[e] });
      } else if (touched[a] && touched[b]) { if (rests < limit) rest[rests++] = e; }
      else { first[firsts++] = e; touched[a] = touched[b] = 1; }
    }
    const bundles = [...merged.values()].sort((a, b) => b.together - a.together).slice(0, Math.round(0.5 * items.length) + 8);
    const amount = bundles.length + firsts + Math.min(rests, Math.max(0, limit - firsts));
    const lines = { from: new Int32Array(amount), to: new Int32Array(amount), pair: new Int32Array(amount).fill(-1), bundles };
    for (let i = 0; i < amount; i++) {
      const place = i - bundles.length, e = place < 0 ? -1 : place < firsts ? first[place] : rest[place - firsts];
      lines.pair[i] = e;
      lines.from[i] = e < 0 ? bundles[i].a : placeOf[source[e]];
      lines.to[i] = e < 0 ? bundles[i].b : placeOf[target[e]];
      items[lines.from[i]].lines++;
      items[lines.to[i]].lines++;
    }
    return { items, lines, placeOf };
  };
  return { ...graph, size, pairs, tagOf, pairsOf, otherOf, companions, expected, npmi, isFaint, examples, search, choose };
};
