// Completion and help from the outline of the language that the kernel sends; nothing is asked for.
import { placeAt } from "./levels.js";

const plain = (level) => level.replaceAll("[]", "");

export class Language {
  constructor({ levels, names }) {
    this.levels = levels;
    this.names = names;
    this.known = new Map(Object.keys(levels).map((level) => [plain(level), level]));
  }

  // A level as the language has it: one thing may stand where a list of them could.
  whole(level) {
    const written = level.replace(/^postproc(\[\])?(?=\.|$)/, "targets[].transforms$1");
    const known = this.known.get(plain(written));
    return known !== undefined && known.length >= written.length ? known : written;
  }

  keysAt(level) {
    return this.levels[this.whole(level)];
  }

  // [help, words, groups of variables or null, what it holds], or undefined
  entry(level, key) {
    const known = this.keysAt(level)?.[key];
    if (known || !level.endsWith("[]")) return known;
    const above = /^(?:(.*)\.)?([\w]+)\[\]$/.exec(level); // an item of a list of words, such as models
    return above ? this.keysAt(above[1] ?? "")?.[above[2]] : undefined;
  }

  complete(context) {
    const place = placeAt(context.state.doc, context.pos);
    const word = context.state.sliceDoc(place.keyFrom, Math.max(place.keyFrom, context.pos));
    if (context.pos >= place.keyFrom && /^[\w.]*$/.test(word)) {
      return word || context.explicit ? this.keys(context, place, word) : null;
    }
    if (context.pos < place.from) return null;
    return this.values(context, this.entry(place.level, place.key), context.state.sliceDoc(place.from, context.pos));
  }

  keys(context, { level, isFlow, begin }, word) {
    const known = this.keysAt(level);
    if (!known) return this.values(context, this.entry(level, ""), word);
    const dash = !isFlow && this.whole(level) === `${level}[]` ? "- " : "";
    const indent = " ".repeat((begin ?? 0) + dash.length);
    const behind = isFlow ? {} : { list: `:\n${indent}  - `, map: `:\n${indent}  ` };
    const options = Object.entries(known).map(([name, [info, , , holds]]) => {
      const after = holds === "word" ? "" : behind[holds] ?? ": ";
      return { label: name, apply: dash + name + after, info: () => helpOf(info), type: "property" };
    });
    return offer(context, context.pos - word.length, options);
  }

  values(context, entry, typed) {
    if (!entry) return null;
    const [, words, groups] = entry;
    if (words.length && !/\s/.test(typed.trim())) {
      const options = words.map((label) => ({ label, type: "constant" }));
      return offer(context, context.pos - typed.trimStart().length, options);
    }
    const word = /[A-Za-z_]\w*$/.exec(typed)?.[0] ?? "";
    if (!groups?.length || (!word && !context.explicit)) return null;
    const fits = ([, group]) => groups.includes(group) || group === "function" || group === "constant";
    const options = this.names.filter(fits).map(([label, group, detail]) => ({
      label,
      detail,
      boost: group === "function" ? -1 : 1,
      type: group === "function" ? "function" : "variable",
    }));
    return offer(context, context.pos - word.length, options);
  }
}

// A word that is typed in full is offered no more, so that Enter begins a new line behind it.
function offer(context, from, options) {
  const whole = new Set(options.map(({ label }) => label));
  if (!context.explicit && whole.has(context.state.sliceDoc(from, context.pos))) return null;
  return { from, options, validFor: (text) => /^[\w./-]*$/.test(text) && !whole.has(text) };
}

// Text with `code` as elements; nothing of it becomes markup.
export function helpOf(text, title = "") {
  const box = document.createElement("div");
  box.className = "clipnb-help";
  if (title) box.append(Object.assign(document.createElement("b"), { textContent: title }), " ");
  for (const [place, part] of text.split("`").entries()) {
    box.append(place % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part);
  }
  return box;
}
