// Pages that do not come over HTTPS or from this machine have no clipboard of their own: copy what is selected.
function copySelected(text) {
  const holder = document.createElement("textarea");
  holder.value = text;
  holder.style.cssText = "position: fixed; opacity: 0";
  document.body.append(holder);
  holder.select();
  try {
    return document.execCommand("copy");
  } finally {
    holder.remove();
  }
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    return copySelected(text) ? "Copied" : "Select the text and press Ctrl+C";
  }
}
