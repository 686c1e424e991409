// Where a place in YAML text is in the language: the keys above it, such as "targets[].features[]".
const LINE = /^(\s*)((?:-(?:\s+|$))*)(?:([\w.]+):(?=\s|$))?/;

// The dashes of a line, and where its key begins: columns from 0.
function layoutOf(text) {
  const [, blanks, dashes, key] = LINE.exec(text);
  const begin = blanks.length + dashes.length;
  const marks = [...dashes].flatMap((sign, place) => (sign === "-" ? [blanks.length + place] : []));
  return { marks, begin, key, isBlank: !text.trim() || text.trim().startsWith("#") };
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
export function levelAt(doc, number, begin, marks) {
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

// The parts of "{a: 1, b: [2, 3]}" between commas, with their places in the text.
function partsOf(text, start) {
  const parts = [];
  let depth = 0;
  let begin = start;
  for (let place = start; place <= text.length; place += 1) {
    const sign = text[place];
    if ("([{".includes(sign ?? " ")) depth += 1;
    if (sign === undefined || (depth === 0 && sign === ",") || (")]}".includes(sign) && depth === 0)) {
      parts.push([begin, place]);
      begin = place + 1;
      if (sign !== ",") break;
    } else if (")]}".includes(sign)) depth -= 1;
  }
  return parts;
}

// The key and the value at a column of a line: { level, key, source, keyFrom, from, to }, columns from 0; or null.
export function pairAt(doc, number, column) {
  const text = doc.line(number).text.replace(/\s#.*$/, "");
  const { marks, begin, key } = layoutOf(text);
  let level = levelAt(doc, number, begin, marks);
  let from = begin;
  if (key !== undefined) {
    from = begin + key.length + 1;
    from += /^\s*/.exec(text.slice(from))[0].length;
    if (text[from] !== "{" || column <= from) return pair(level, key, text, begin, from, text.length);
    level = level ? `${level}.${key}` : key;
  }
  if (text[from] !== "{") return null;
  for (const [start, end] of partsOf(text, from + 1)) {
    const found = /^(\s*)([\w.]+):(\s*)/.exec(text.slice(start, end));
    if (column >= start && column <= end) {
      if (!found) return { level, key: "", source: "", keyFrom: start, from: start, to: end };
      return pair(level, found[2], text, start + found[1].length, start + found[0].length, end);
    }
  }
  return null;
}

function pair(level, key, text, keyFrom, from, to) {
  const written = text.slice(from, to).trim();
  const source = /^(["']).*\1$/.test(written) ? written.slice(1, -1) : written;
  return { level, key, source, keyFrom, from, to: from + written.length };
}
