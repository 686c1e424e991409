// Completion and help from the outline of the language that the kernel sends; nothing is asked for.
import { levelAt, pairAt } from "./levels.js";

const KEY = /^(\s*)((?:-\s+)*)([\w.]*)$/;

export class Language {
  constructor({ levels, names }) {
    this.levels = levels;
    this.names = names;
  }

  keysAt(level) {
    return this.levels[level.replace(/^postproc\[\]/, "targets[].transforms[]")];
  }

  // [help, words, groups of variables or null, what it holds], or undefined
  entry(level, key) {
    const known = this.keysAt(level)?.[key];
    if (known || !level.endsWith("[]")) return known;
    const above = /^(?:(.*)\.)?([\w]+)\[\]$/.exec(level); // an item of a list of words, such as models
    return above ? this.keysAt(above[1] ?? "")?.[above[2]] : undefined;
  }

  complete(context) {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const key = KEY.exec(before);
    if (key && (key[3] || context.explicit)) return this.keys(context, line.number, key);
    const pair = pairAt(context.state.doc, line.number, before.length);
    if (!pair || before.length < pair.from) return null;
    if (pair.key === "") return this.flowKeys(context, pair, before);
    return this.values(context, this.entry(pair.level, pair.key), before.slice(pair.from));
  }

  keys(context, number, [whole, blanks, dashes, word]) {
    const marks = [...dashes].flatMap((sign, place) => (sign === "-" ? [blanks.length + place] : []));
    const begin = blanks.length + dashes.length;
    let level = levelAt(context.state.doc, number, begin, marks);
    let dash = "";
    if (!this.keysAt(level) && this.keysAt(`${level}[]`)) [level, dash] = [`${level}[]`, "- "];
    const known = this.keysAt(level);
    const from = context.pos - word.length;
    if (!known) return this.values(context, this.entry(level, ""), word);
    const indent = " ".repeat(begin + dash.length);
    const options = Object.entries(known).map(([name, [info, , , holds]]) => {
      const after = { list: `:\n${indent}  - `, map: `:\n${indent}  `, word: "" }[holds] ?? ": ";
      return { label: name, apply: dash + name + after, info: () => helpOf(info), type: "property" };
    });
    return offer(context, from, options);
  }

  flowKeys(context, { level, from }, before) {
    const word = /\w*$/.exec(before)[0];
    const known = this.keysAt(level);
    if (!known || (!word && !context.explicit)) return null;
    const options = Object.entries(known).map(([name, [info]]) => ({
      label: name,
      apply: `${name}: `,
      info: () => helpOf(info),
      type: "property",
    }));
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
