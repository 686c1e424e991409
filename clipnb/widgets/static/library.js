async function loadLibrary(model) {
  const carrier = await model.widget_manager.get_model(model.get("library"));
  const packed = Uint8Array.from(atob(carrier.get("value")), (sign) => sign.charCodeAt(0));
  const script = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const before = "const holder = { exports: {} };\n(function (module, exports, define) {\n";
  const after = "\n}).call(globalThis, holder, holder.exports, undefined);\nexport default holder.exports;";
  const url = URL.createObjectURL(new Blob([before, script, after], { type: "text/javascript" }));
  try {
    return (await import(url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}
