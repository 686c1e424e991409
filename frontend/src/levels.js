// Where a place in YAML text is in the language: the keys above it, such as "targets[].features[]".
const MOST = 200; // lines above, in which braces or brackets may begin
const FAR = 2000; // characters behind a place, in which its value may end
const LINE = /^(\s*)((?:-(?:\s+|$))*)(?:([\w.]+):(?=\s|$))?/;

// The dashes of a line, and where its key and its value begin: columns from 0.
function layoutOf(text) {
  const [, blanks, dashes, key] = LINE.exec(text);
  const begin = blanks.length + dashes.length;
  const marks = [...dashes].flatMap((sign, place) => (sign === "-" ? [blanks.length + place] : []));
  const after = key === undefined ? begin : begin + key.length + 1;
  const value = after + /^\s*/.exec(text.slice(after))[0].length;
  return { marks, begin, key, value, isBlank: !text.trim() || text.trim().startsWith("#") };
}

// The column of the dash that begins the list item which a line at this column would go on in; -1 where there is none.
export function dashOfItem(doc, number, column) {
  for (let above = number - 1; above > 0; above -= 1) {
    const { marks, begin, isBlank } = layoutOf(doc.line(above).text);
    if (isBlank || begin > column) continue;
    return begin === column && marks.length ? marks[marks.length - 1] : -1;
  }
  return -1;
}

// The level of what begins at `begin` in a line, and has dashes at `marks` before it.
function levelAt(doc, number, begin, marks) {
  const level = [];
  let limit = begin;
  let isItem = false; // a list may stand at the column of its own key
  const takeDashes = (columns) => {
    for (const column of [...columns].reverse()) {
      if (column >= limit) continue;
      level.unshift("[]");
      limit = column;
      isItem = true;
    }
  };
  takeDashes(marks);
  for (let above = number - 1; above > 0 && (limit > 0 || isItem); above -= 1) {
    const line = layoutOf(doc.line(above).text);
    if (line.isBlank || line.begin > limit) continue;
    const isOwner = line.key !== undefined && (line.begin < limit || isItem);
    if (!isOwner && line.begin < limit) break; // a text that goes on; what stands there has no keys
    if (isOwner) {
      level.unshift(line.key);
      limit = line.begin;
      isItem = false;
    }
    takeDashes(line.marks);
  }
  return level.reduce((text, part) => text + (part === "[]" || !text ? part : `.${part}`), "");
}

const join = (level, key) => (level ? `${level}.${key}` : key);

// The braces and brackets that are open at `end` of a text that begins with one: sign, where the present entry begins,
// its key, and where the value behind that begins.
function openAt(text, end) {
  const open = [];
  let isFresh = true; // nothing but blanks since the last sign, so that a quote begins a text
  for (let at = 0; at < end; at += 1) {
    const sign = text[at];
    const entry = open[open.length - 1];
    if (sign === "[" || sign === "{") open.push({ sign, from: at + 1, key: "", value: at + 1 });
    else if (sign === "]" || sign === "}") open.pop();
    else if (sign === ",") Object.assign(entry, { from: at + 1, key: "", value: at + 1 });
    else if (sign === ":" && !entry.key && /[\s,\]}]/.test(text[at + 1] ?? " ")) {
      Object.assign(entry, { key: text.slice(entry.from, at).trim().replace(/^(["'])(.*)\1$/, "$2"), value: at + 1 });
    } else if (isFresh && (sign === '"' || sign === "'")) {
      at = text.indexOf(sign, at + 1);
      if (at < 0) break;
    } else if (sign === "#" && /\s/.test(text[at - 1])) at = (text.indexOf("\n", at) + 1 || end) - 1;
    if (!open.length) break;
    isFresh = "[{,:".includes(sign) || (isFresh && /\s/.test(sign));
  }
  return open;
}

// Where the value ends that is open at a place of a text: at a comma, a bracket or its line's end.
function endOf(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if ("[{".includes(text[at])) depth += 1;
    else if (depth && "]}".includes(text[at])) depth -= 1;
    else if (!depth && ",]}\n".includes(text[at])) return at;
  }
  return text.length;
}

// { level, key, source, keyFrom, from, to }: a key, what is written behind it, and their places in the document.
function pairOf(level, key, keyFrom, from, written) {
  const source = written.trim().replace(/^(["'])(.*)\1$/, "$2");
  return { level, key, source, keyFrom, from, to: from + written.trimEnd().length };
}

// What stands at a position within braces or brackets that begin with a line's value; null where they are closed there.
function flowAt(doc, line, layout, position) {
  const text = doc.sliceString(line.from + layout.value, Math.min(doc.length, position + FAR));
  const start = line.from + layout.value;
  const open = openAt(text, position - start);
  if (!open.length) return null;
  let level = levelAt(doc, line.number, layout.begin, layout.marks);
  const pair = (key, at, value) => {
    const from = value + /^\s*/.exec(text.slice(value))[0].length;
    return pairOf(level, key, start + at, start + from, text.slice(from, endOf(text, from)));
  };
  let owner = null;
  if (layout.key !== undefined) {
    owner = pairOf(level, layout.key, line.from + layout.begin, start, text.slice(0, endOf(text, 0)));
    level = join(level, layout.key);
  }
  open.forEach(({ sign }, place) => {
    const outer = open[place - 1];
    if (outer?.key) {
      owner = pair(outer.key, outer.from + /^\s*/.exec(text.slice(outer.from))[0].length, outer.value);
      level = join(level, outer.key);
    }
    if (sign === "[") level += "[]";
  });
  const { from } = open[open.length - 1];
  const entry = text.slice(from, endOf(text, position - start));
  const found = /^(\s*)["']?([\w.]*)["']?(\s*:(?=\s|$))?/.exec(entry);
  const keyFrom = from + found[1].length;
  const own = found[3] ? pair(found[2], keyFrom, from + found[0].length) : pairOf(level, "", start + keyFrom, start + keyFrom, "");
  return { ...own, owner, isFlow: true };
}

// The key and the value at a position, and the level that they belong to; the key is "" where none is written yet.
export function placeAt(doc, position) {
  const here = doc.lineAt(position);
  let least = Infinity; // what a line in brackets is indented by: by more than the line in which they begin
  let found = null;
  for (let { number } = here; number > 0 && number > here.number - MOST && least > 0; number -= 1) {
    const line = doc.line(number);
    const layout = layoutOf(line.text);
    if (layout.isBlank) continue;
    const indent = /^ */.exec(line.text)[0].length;
    const begins = "[{".includes(line.text[layout.value] || " ") && position > line.from + layout.value;
    if (begins && indent < least) found = flowAt(doc, line, layout, position) ?? found; // the outermost counts
    if (!/^\s*[\]}]/.test(line.text)) least = Math.min(least, indent);
  }
  if (found) return found;
  const { marks, begin, key = "", value } = layoutOf(here.text);
  const level = levelAt(doc, here.number, begin, marks);
  const written = here.text.slice(value).replace(/(^|\s)#.*$/, "");
  return { ...pairOf(level, key, here.from + begin, here.from + value, written), owner: null, isFlow: false, begin };
}
