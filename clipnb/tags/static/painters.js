"use strict";
// Dots and lines: on a canvas, or by WebGL where they are many. Both paint what they are given, dimmed or not.
const canvasPainter = (context, style) => {
  const line = (view, e, camera, look) => {
    const a = view.items[view.lines.from[e]], b = view.items[view.lines.to[e]];
    context.beginPath();
    context.moveTo(camera.sx(a), camera.sy(a));
    context.lineTo(camera.sx(b), camera.sy(b));
    context.lineWidth = look.width(e);
    context.setLineDash(look.dashes(e));
    context.strokeStyle = look.lineColour(e);
    context.stroke();
  };
  const lines = (view, camera, look, which, dim) => {
    context.globalAlpha = dim;
    if (which) for (const e of which) line(view, e, camera, look);
    else for (let e = view.lines.from.length - 1; e >= 0; e--) line(view, e, camera, look);
    context.setLineDash([]);
    context.globalAlpha = 1;
  };
  const dots = (view, camera, look, which, dim) => {
    const dot = (item) => {
      const x = camera.sx(item), y = camera.sy(item), r = look.radius(item);
      if (x < -r || y < -r || x > camera.width + r || y > camera.height + r) return;
      context.beginPath();
      context.arc(x, y, r, 0, 7);
      context.fillStyle = look.colour(item);
      context.fill();
      context.lineWidth = look.isMarked(item) ? 3 : 1;
      context.strokeStyle = look.isMarked(item) ? style.accent : style.paper;
      context.stroke();
      if (item.tag < 0) {  // a community in one: a ring around it
        context.beginPath();
        context.arc(x, y, r + 3, 0, 7);
        context.lineWidth = 1.5;
        context.strokeStyle = look.colour(item);
        context.stroke();
      }
    };
    context.globalAlpha = dim;
    if (which) for (const i of which) dot(view.items[i]);
    else for (let i = view.items.length - 1; i >= 0; i--) dot(view.items[i]);
    context.globalAlpha = 1;
  };
  return { lines, dots };
};

const glPainter = (canvas) => {
  const gl = canvas.getContext("webgl", { antialias: false, preserveDrawingBuffer: true, powerPreference: "low-power" });
  if (!gl) return null;
  const SHADE = `attribute vec2 at; attribute float size; attribute vec4 tint; uniform vec4 view; uniform vec2 dot; uniform float reach; varying vec4 shade; varying float edge;
    void main() { gl_Position = vec4((at - view.xy) * view.zw, 0, 1); gl_PointSize = max(dot.x * size, 1.5 * dot.y); shade = tint; edge = 1.0 / gl_PointSize;
      if (reach > 0.0) shade.a *= min(1.0, reach / max(size, 1e-6)); }`;  // the longer a line, the fainter
  const FILL = `precision mediump float; varying vec4 shade; varying float edge; uniform float alpha; uniform float round;
    void main() { float inside = round > 0.5 ? clamp((0.5 - length(gl_PointCoord - 0.5)) / edge + 0.5, 0.0, 1.0) : 1.0;
      gl_FragColor = vec4(shade.rgb, shade.a * alpha * inside); }`;  // smooth dots, so that the whole needs no smoothing, which costs a second without a GPU
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, SHADE], [gl.FRAGMENT_SHADER, FILL]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  const where = Object.fromEntries(["at", "size", "tint"].map((name) => [name, gl.getAttribLocation(program, name)]));
  const uniform = Object.fromEntries(["view", "dot", "reach", "alpha", "round"].map((name) => [name, gl.getUniformLocation(program, name)]));
  const dots = gl.createBuffer(), lines = gl.createBuffer();
  let amount = 0, lineAmount = 0, linesReady = 0, makeLines = null;
  gl.enable(gl.BLEND);
  gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);

  const pack = (buffer, length, fill) => {  // x, y, size as floats, then four bytes of colour
    const data = new ArrayBuffer(16 * length), floats = new Float32Array(data), bytes = new Uint8Array(data);
    fill((i, x, y, size, tint, alpha) => {
      floats[4 * i] = x; floats[4 * i + 1] = y; floats[4 * i + 2] = size;
      bytes[16 * i + 12] = tint[0]; bytes[16 * i + 13] = tint[1]; bytes[16 * i + 14] = tint[2]; bytes[16 * i + 15] = alpha;
    });
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  };
  const load = (view, look) => {
    const last = view.items.length - 1, { from, to } = view.lines;
    amount = view.items.length;
    lineAmount = from.length;
    linesReady = 0;
    pack(dots, amount, (put) => { for (let i = 0; i <= last; i++) { const item = view.items[last - i]; put(i, item.x, item.y, 2 * look.baseRadius(item), look.tint(item), 235); } });
    makeLines = (wanted) => {
      linesReady = Math.min(lineAmount, 4 * wanted);
      pack(lines, 2 * linesReady, (put) => {
        for (let e = 0; e < linesReady; e++) {
          const a = view.items[from[e]], b = view.items[to[e]], long = Math.hypot(a.x - b.x, a.y - b.y), tint = look.lineTint(e), alpha = look.lineAlpha(e);
          put(2 * e, a.x, a.y, long, tint, alpha);
          put(2 * e + 1, b.x, b.y, long, tint, alpha);
        }
      });
    };
  };
  const attach = (buffer) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const [name, parts, kind, norm, offset] of [["at", 2, gl.FLOAT, false, 0], ["size", 1, gl.FLOAT, false, 8], ["tint", 4, gl.UNSIGNED_BYTE, true, 12]]) {
      gl.enableVertexAttribArray(where[name]);
      gl.vertexAttribPointer(where[name], parts, kind, norm, 16, offset);
    }
  };
  const paint = (camera, look, ratio, mostLines, dim) => {
    canvas.width = Math.round(camera.width * ratio);
    canvas.height = Math.round(camera.height * ratio);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform4f(uniform.view, camera.x, camera.y, (2 * camera.k) / camera.width, (-2 * camera.k) / camera.height);
    gl.uniform2f(uniform.dot, look.swell() * ratio, ratio);
    gl.uniform1f(uniform.alpha, dim);
    gl.uniform1f(uniform.round, 0);
    gl.uniform1f(uniform.reach, 90 / camera.k);
    const wanted = Math.min(lineAmount, mostLines);
    if (wanted > linesReady) makeLines(wanted);  // those that say most first; more of them are made when somebody comes closer
    attach(lines);
    gl.drawArrays(gl.LINES, 0, 2 * wanted);
    gl.uniform1f(uniform.round, 1);
    gl.uniform1f(uniform.reach, 0);
    attach(dots);
    gl.drawArrays(gl.POINTS, 0, amount);
  };
  return { load, paint };
};
