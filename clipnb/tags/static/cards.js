"use strict";
// What is known of a tag, a pair, a community: the same words beside the pointer and in the panel, as text.
const cards = (() => {
  const { element, number, entry } = texts;
  const percent = (share) => `${number(100 * share)} %`;
  const isolate = (text) => `\u2068${text}\u2069`;  // so that right-to-left names do not turn what stands beside them
  const quotes = (found, most) => {
    if (!found.length) return [];
    const list = element("ul", "quotes");
    for (const text of found.slice(0, most)) list.append(element("li", "", text));
    return [element("h2", "", "For example"), list];
  };
  function tag(graph, i, colourOf, open, most = 15, examples = 2) {
    const parts = [element("strong", "", graph.names[i])];
    const inPrompts = graph.prompts_in_all ? `, in ${percent(graph.prompts[i] / graph.prompts_in_all)} of prompts` : "";
    parts.push(element("p", "", `${number(graph.count[i])} times${inPrompts}; place ${number(i + 1)} of ${number(graph.tags)}`));
    const near = graph.companions(i, most);
    if (near.length) {
      const list = element("ul", "companions");
      for (const { tag: other, pair, close } of near) {
        const item = entry(graph.names[other], colourOf(other), number(close), () => open({ tag: other }));
        if (graph.isFaint(pair)) item.classList.add("faint");
        list.append(item);
      }
      parts.push(element("h2", "", `Goes with (${graph.closeness_name})`), list);
    } else parts.push(element("p", "", "Stands with no other tag in any pair that the graph keeps."));
    return [...parts, ...quotes(graph.examples(i), examples)];
  }
  function pair(graph, e, colourOf, open, examples = 3) {
    const ends = [graph.source[e], graph.target[e]], list = element("ul", "companions"), parts = [];
    parts.push(element("strong", "", ends.map((i) => isolate(graph.names[i])).join(" + ")));
    if (graph.prompts_in_all && graph.together[e]) {
      parts.push(element("p", "", `Together in ${number(graph.together[e])} prompts; chance would give ${number(graph.expected(e))}. NPMI ${graph.npmi(e).toFixed(2)}.`));
      if (graph.isFaint(e)) parts.push(element("p", "", "That is near chance: no bond."));
    }
    if (graph.kind[e]) parts.push(element("p", "", graph.kind[e] === 1 ? "One contains the other." : "Alike in meaning."));
    parts.push(element("p", "", `${graph.weight_name}: ${number(graph.weight[e])}`));
    for (const i of ends) list.append(entry(graph.names[i], colourOf(i), number(graph.count[i]), () => open({ tag: i })));
    return [...parts, list, ...quotes(graph.examples(...ends), examples)];
  }
  function community(graph, id, colourOf, open, most = 15) {
    const { name, size, count } = graph.communities[id], list = element("ul", "companions");
    for (let i = 0, shown = 0; i < graph.size && shown < most; i++) {
      if (graph.community[i] !== id) continue;
      list.append(entry(graph.names[i], colourOf(i), number(graph.count[i]), () => open({ tag: i })));
      shown++;
    }
    return [element("strong", "", name), element("p", "", `${number(size)} tags, ${number(count)} times`), element("h2", "", "Most frequent"), list];
  }
  const bundle = ({ together }, a, b) => [element("strong", "", `${isolate(a)} + ${isolate(b)}`),
    element("p", "", `${number(together)} pairs in prompts, of several tags`)];
  return { tag, pair, community, bundle };
})();
