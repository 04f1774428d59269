"use strict";
// Draws the report out of the JSON in #data. All texts become text nodes; nothing is parsed as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const column = Object.fromEntries(data.columns.map((c, i) => [c.key, i]));
  const valueOf = (row, key) => (key in column ? row.cells[column[key]][0] : null);
  const textOf = (row, key) => row.cells[column[key]][1];

  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // Indexes of the points {x, y} that no other dominates: at least as high and further left, or higher and as
  // far left.
  function paretoFront(points) {
    const order = points.map((p, i) => i).sort((a, b) => points[a].x - points[b].x || points[b].y - points[a].y);
    const front = [];
    let best = -Infinity;
    for (const i of order) {
      if (points[i].y > best) front.push(i);
      best = Math.max(best, points[i].y);
    }
    return front;
  }

  // ---- Tables ----

  // Cells are {value, text, missing}; a null value is sorted last. headers: {header, about, numeric}.
  function makeTable(caption, headers, rows) {
    const body = element("tbody");
    const head = element("tr");
    const table = element("table", {}, element("caption", { textContent: caption }), element("thead", {}, head), body);
    const made = rows.map((cells) => {
      const line = element("tr");
      cells.forEach((cell, i) => {
        const number = headers[i].numeric && !cell.missing;
        const kind = cell.missing ? (cell.text.length > 28 ? "missing long" : headers[i].numeric ? "missing number" : "missing") : number ? "number" : "words";
        const box = element(i === 0 ? "th" : "td", { className: i === 0 ? "" : kind, textContent: cell.text });
        if (i === 0) box.scope = "row";
        if (cell.front) {
          box.append(element("span", { className: "front", title: cell.front }), element("span", { className: "unseen", textContent: " (" + cell.front + ")" }));
        }
        line.append(box);
      });
      body.append(line);
      return { line, cells };
    });
    let sorted = null;
    let descending = false;
    headers.forEach((header, i) => {
      const button = element("button", { type: "button", textContent: header.header, title: header.about || "" });
      const place = element("th", { scope: "col", className: header.numeric ? "number" : "" }, button);
      button.addEventListener("click", () => {
        descending = sorted === i ? !descending : false;
        sorted = i;
        for (const other of head.children) other.removeAttribute("aria-sort");
        place.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const compare = (a, b) => {
          const x = a.cells[i].value, y = b.cells[i].value;
          if (x === null || y === null) return (x === null) - (y === null);
          const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
          return descending ? -order : order;
        };
        body.append(...[...made].sort(compare).map((row) => row.line));
      });
      head.append(place);
    });
    return { table, scroll: element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: caption }, table), rows: made };
  }

  const plainCell = (value, text) => (value === null || value === undefined
    ? { value: null, text: "\u2013", missing: true } : { value, text: text ?? String(value) });

  // ---- Charts ----

  const charts = [];
  const makers = [];
  let theme = {};

  function readTheme() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(name).trim();
    theme = { ink: get("--ink"), muted: get("--muted"), grid: get("--grid"), card: get("--card"), front: get("--front"), series: get("--series").split(" ") };
    Chart.defaults.color = theme.muted;
    Chart.defaults.borderColor = theme.grid;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 12;
    Chart.defaults.animation = false;
    Chart.defaults.maintainAspectRatio = false;
    Object.assign(Chart.defaults.plugins.legend.labels, { usePointStyle: true, boxWidth: 8, boxHeight: 8 });
    Object.assign(Chart.defaults.plugins.tooltip, { backgroundColor: theme.ink, titleColor: theme.card, bodyColor: theme.card, padding: 10, cornerRadius: 6 });
  }

  function draw(id, label, config) {
    const canvas = $(id);
    canvas.setAttribute("aria-label", label);
    const old = Chart.getChart(canvas);
    if (old) old.destroy();
    return new Chart(canvas, config);
  }

  // A chart that is drawn again when the colours change.
  function keep(maker) {
    makers.push(maker);
    maker();
  }

  function redraw() {
    readTheme();
    for (const maker of makers) maker();
  }

  const seriesColor = (i) => theme.series[i % theme.series.length];
  const withAlpha = (color, alpha) => color + Math.round(alpha * 255).toString(16).padStart(2, "0");
  const shortName = (name) => name.replace(/^.*\//, "").replace(/\.[^.]*$/, "").replace(/[_-]patch\d+/, "").replace(/([_-])window(\d+)/, "$1w$2");
  // With the part after the dot, or the owner, where two models would have one name.
  const labels = new Map();
  for (const row of data.rows) {
    const clash = data.rows.some((other) => other.model !== row.model && shortName(other.model) === shortName(row.model));
    labels.set(row.model, shortName(row.model) + (clash ? row.model.match(/\.[^/]*$/)?.[0] ?? ` (${row.model.split("/")[0]})` : ""));
  }
  // Machines by fingerprint, as short as tells them apart: the processor, with cores and memory, with the fingerprint.
  const machineWords = new Map();
  {
    const names = new Map([...Object.entries(data.history.machines), ...data.machines.map((machine) => [machine.fingerprint, machine.name])]);
    const spellings = [(name) => name.split(",")[0], (name) => name, (name, fingerprint) => `${name}, ${fingerprint.slice(0, 6)}`];
    for (const [fingerprint, name] of names) {
      const isAlone = (spell) => [...names].every(([other, otherName]) => other === fingerprint || spell(otherName, other) !== spell(name, fingerprint));
      machineWords.set(fingerprint, (spellings.find(isAlone) ?? spellings[2])(name, fingerprint));
    }
  }
  const machineWord = (i) => machineWords.get(data.machines[i].fingerprint);
  // What is left out is in the middle: names differ at their ends too.
  function clipped(text, length) {
    const end = Math.floor(length / 2) - 1;
    return text.length > length ? text.slice(0, length - 1 - end) + "\u2026" + text.slice(-end) : text;
  }
  // On two lines where it is longer than one.
  function wrapped(text, length) {
    if (text.length <= length) return text;
    const end = Math.max(...["_", "-", ".", " "].map((mark) => text.lastIndexOf(mark, length - 1))) + 1 || length;
    return [text.slice(0, end), clipped(text.slice(end), length)];
  }
  const axis = (text, more = {}) => ({ title: { display: true, text, color: theme.muted }, grid: { color: theme.grid }, ...more });

  // Few round ticks on a logarithmic axis: 1, 2 and 5 of each power of ten.
  const logAxis = (text) => axis(text, {
    type: "logarithmic",
    ticks: {
      maxRotation: 0,
      callback(value) {
        const digit = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
        return [1, 2, 5].some((d) => Math.abs(d - digit) < 1e-6) ? value.toLocaleString("en") : null;
      },
    },
  });

  // Names beside the points of the fronts, where there is room.
  const frontNames = {
    id: "frontNames",
    afterDatasetsDraw(chart) {
      const context = chart.ctx, area = chart.chartArea, taken = [];
      chart.data.datasets.forEach((set, k) => {
        if (chart.isDatasetVisible(k)) for (const point of chart.getDatasetMeta(k).data) taken.push({ x: point.x - 4, y: point.y - 5, width: 8, height: 10 });
      });
      context.save();
      context.font = "600 11px " + Chart.defaults.font.family;
      context.fillStyle = theme.ink;
      chart.data.datasets.forEach((set, k) => {
        if (!set.isFront || !chart.isDatasetVisible(k)) return;
        chart.getDatasetMeta(k).data.forEach((point, i) => {
          const name = clipped(labels.get(set.data[i].name), 34), width = context.measureText(name).width;
          for (const [left, top] of [[-width - 10, -8], [10, -6], [-width / 2, -22], [-width / 2, 10], [10, 6]]) {
            const box = { x: point.x + left, y: point.y + top, width, height: 13 };
            const inside = box.x > area.left && box.x + width < area.right && box.y > area.top && box.y + 13 < area.bottom;
            const free = taken.every((t) => box.x > t.x + t.width + 1 || box.x + width + 1 < t.x || box.y > t.y + t.height || box.y + 13 < t.y);
            if (!inside || !free) continue;
            taken.push(box);
            context.fillText(name, box.x, box.y + 11);
            break;
          }
        });
      });
      context.restore();
    },
  };

  let accuracyKey = "top1";

  // The points of the front are a set of their own, joined by steps.
  function scatter(id, costKey, costText) {
    const all = data.rows.filter((row) => valueOf(row, accuracyKey) !== null && valueOf(row, costKey) !== null)
      .map((row) => ({ x: costKey === "macs" ? valueOf(row, costKey) / 1e9 : valueOf(row, costKey), y: valueOf(row, accuracyKey), name: row.model }));
    const front = new Set(paretoFront(all)), color = theme.series[0];
    const datasets = [{
      label: "Pareto front", isFront: true, data: all.filter((p, i) => front.has(i)).sort((a, b) => a.x - b.x),
      showLine: true, stepped: "before", borderColor: withAlpha(theme.front, 0.55), borderWidth: 1.5, borderDash: [5, 4],
      pointBackgroundColor: theme.front, pointBorderColor: theme.card, pointRadius: 6.5, pointHoverRadius: 8,
    }, {
      label: "Other entries", data: all.filter((p, i) => !front.has(i)), pointBackgroundColor: withAlpha(color, 0.4), pointBorderColor: color,
      pointRadius: 4, pointHoverRadius: 6,
    }];
    const shown = datasets.some((set) => set.data.length > 0);
    $(id).closest("figure").hidden = !shown;
    if (!shown) return;
    const word = accuracyKey === "top1" ? "measured" : "published";
    draw(id, `Scatter chart: ${word} top-1 accuracy against ${costText}. The figures are in the table Every entry.`, {
      type: "scatter",
      data: { datasets: datasets.filter((set) => set.data.length > 0) },
      options: {
        layout: { padding: { right: 10 } },
        scales: { x: logAxis(costText), y: axis(`Top-1 %, ${word}`, { grace: "8%" }) },
        plugins: {
          legend: { position: "bottom" },
          tooltip: { callbacks: { title: (items) => items[0].raw.name, label: (item) => `${item.raw.y.toFixed(2)} %, ${Number(item.raw.x.toPrecision(4)).toLocaleString("en")} ${costKey === "macs" ? "GMACs" : "ms"}` } },
        },
      },
      plugins: [frontNames],
    });
  }

  readTheme();

  // ---- Head ----

  document.title = data.title + " \u2013 swinzoo report";
  $("title").textContent = data.title;
  const models = [...new Set(data.rows.map((row) => row.model))];
  const measured = data.rows.filter((row) => valueOf(row, "top1") !== null || row.speeds.some((speed) => speed.some((figure) => figure !== null)));
  const machineCount = data.machines.length;
  $("summary").textContent = `${models.length} ${models.length === 1 ? "entry" : "entries"}, ${measured.length} of them measured` +
    (machineCount ? ` on ${machineCount === 1 ? data.machines[0].name : machineCount + " machines"}.` : ".");
  function tile(name, key, better, unit) {
    const rows = data.rows.filter((row) => valueOf(row, key) !== null);
    if (rows.length === 0) return;
    const best = rows.reduce((a, b) => (better(valueOf(b, key), valueOf(a, key)) ? b : a));
    $("tiles").append(element("div", {}, element("dt", { textContent: name }),
      element("dd", {}, `${textOf(best, key)} ${unit}`, element("small", { textContent: best.model }))));
  }
  tile("Best top-1, measured", "top1", (a, b) => a > b, "%");
  tile("Best top-1, published", "published_top1", (a, b) => a > b, "%");
  tile("Lowest latency", "latency_ms", (a, b) => a < b, "ms");
  tile("Highest throughput", "images_per_second", (a, b) => a > b, "/s");
  tile("Least memory", "peak_memory_mb", (a, b) => a < b, "MiB");
  $("made").textContent = `Made by swinzoo ${data.version} on ${data.made_at.slice(0, 16).replace("T", " ")} UTC. Charts by Chart.js ${Chart.version} (MIT licence).`;
  $("others").textContent = data.others.length ? "Results of models that are no rows were left out: " + data.others.join(", ") + "." : "";

  // ---- Accuracy against cost ----

  const has = (key) => data.rows.some((row) => valueOf(row, key) !== null && valueOf(row, "macs") !== null);
  const count = (key) => data.rows.filter((row) => valueOf(row, key) !== null).length;
  if (!has("top1") || count("top1") < 2 && count("published_top1") > count("top1")) accuracyKey = "published_top1";
  for (const radio of document.querySelectorAll("[name=accuracy]")) {
    radio.checked = radio.value === accuracyKey;
    radio.disabled = !has(radio.value);
    radio.addEventListener("change", () => { accuracyKey = radio.value; tradeoff(); });
  }
  const isAnyKnown = has("top1") || has("published_top1");
  $("accuracy-choice").hidden = !isAnyKnown;
  $("tradeoff-note").hidden = !isAnyKnown;
  $("tradeoff-missing").hidden = isAnyKnown;
  function tradeoff() {
    scatter("latency-chart", "latency_ms", "Latency, ms");
    scatter("macs-chart", "macs", "GMACs");
  }

  // ---- Every entry ----

  // Rows on the front of latency, by the accuracy that is shown first.
  const compared = data.rows.filter((row) => valueOf(row, accuracyKey) !== null && valueOf(row, "latency_ms") !== null);
  const onFront = new Set(paretoFront(compared.map((row) => ({ x: valueOf(row, "latency_ms"), y: valueOf(row, accuracyKey) }))).map((i) => compared[i]));
  const entries = makeTable("Every entry", data.columns, data.rows.map((row) => row.cells.map((cell, i) => ({
    value: cell[0], text: cell[1], missing: cell[0] === null, front: i === 0 && onFront.has(row) ? "on the Pareto front of latency" : "",
  }))));
  $("entries-table").append(entries.scroll);
  for (const caption of document.querySelectorAll(".speed-caption")) caption.textContent = data.caption.join(" ");
  $("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/);
    for (const row of entries.rows) {
      const text = row.cells.map((cell) => cell.text).join(" ").toLowerCase();
      row.line.hidden = !words.every((word) => text.includes(word));
    }
  });

  // ---- Hardware ----

  $("hardware").hidden = machineCount === 0;
  if (machineCount > 0) {
    const names = [...new Set(data.machines.flatMap((machine) => machine.facts.map((fact) => fact[0])))];
    const facts = data.machines.map((machine) => new Map(machine.facts));
    const table = makeTable("Machines", [{ header: "Machine" }, ...data.machines.map((m, i) => ({ header: machineCount === 1 ? "" : String(i + 1) }))],
      [["name", ...data.machines.map((machine) => machine.name)], ["latency at", ...data.machines.map((machine) => machine.latency_at || null)], ["images/s at", ...data.machines.map((machine) => machine.throughput_at || null)], ...names.map((name) => [name, ...facts.map((fact) => fact.get(name) ?? null)])]
        .map((cells) => cells.map((cell) => plainCell(cell))));
    table.table.querySelectorAll("td").forEach((cell) => cell.classList.add("value"));
    table.table.querySelectorAll("thead button").forEach((button) => button.replaceWith(element("span", { className: "plain", textContent: button.textContent })));
    $("machines-table").append(table.scroll);
  }
  const timed = data.rows.filter((row) => row.speeds.some((speed) => speed[0] !== null));
  const several = machineCount > 1 && timed.length > 0;
  $("hardware-figure").hidden = !several;
  if (several) {
    const figure = (row, machine, which) => {
      const value = row.speeds[machine][which];
      return value === null ? plainCell(null) : plainCell(value, value.toFixed(2 - which));
    };
    const headers = [{ header: "Model" }];
    data.machines.forEach((m, i) => headers.push({ header: `${i + 1}: ms`, numeric: true, about: m.name }, { header: `${i + 1}: images/s`, numeric: true, about: m.name }));
    headers.push({ header: "Slowest / fastest", numeric: true, about: "how much longer the slowest machine takes" });
    const rows = timed.map((row) => {
      const cells = [plainCell(row.model)], times = [];
      data.machines.forEach((m, i) => {
        cells.push(figure(row, i, 0), figure(row, i, 1));
        if (cells.at(-2).value !== null) times.push(cells.at(-2).value);
      });
      const ratio = Math.max(...times) / Math.min(...times);
      cells.push(times.length > 1 ? plainCell(ratio, ratio.toFixed(2) + " \u00d7") : plainCell(null));
      return cells;
    });
    $("hardware-table").append(makeTable("Latency and throughput by machine", headers, rows).scroll);
    const height = 90 + timed.length * (10 + 12 * machineCount);
    $("hardware-chart").parentElement.style.height = `${height}px`;
    $("hardware-figure").classList.toggle("tall", height > 1200);
    keep(() => draw("hardware-chart", "Bar chart: latency of each entry on each machine. The figures are in the table below it.", {
      type: "bar",
      data: {
        labels: timed.map((row) => (innerWidth < 560 ? wrapped(labels.get(row.model), 19) : clipped(labels.get(row.model), 44))),
        datasets: data.machines.map((machine, i) => ({ label: `${i + 1}: ${machine.name}`, backgroundColor: seriesColor(i), borderRadius: 3, data: timed.map((row) => row.speeds[i][0]) })),
      },
      options: { indexAxis: "y", scales: { x: logAxis("Latency, ms, logarithmic"), y: { grid: { display: false }, ticks: { autoSkip: false, font: { size: 11 } } } }, plugins: { legend: { position: "top", align: "start" } } },
    }));
  }

  // ---- One entry in depth ----

  const bench = Object.fromEntries(data.bench.columns.map((c, i) => [c.key, i + 2]));
  const kinds = [...new Set(data.profiles.flatMap((profile) => profile.steps.map((step) => step[1])))];
  const nameOf = (index) => data.rows[index].model;
  const deep = models.filter((model) => [data.bench.rows.map((row) => row[0]), data.profiles.map((p) => p.model), data.history.trends.map((t) => t.model)]
    .some((list) => list.some((index) => nameOf(index) === model)));
  $("depth").hidden = deep.length === 0;
  for (const model of deep) $("model").append(element("option", { value: model, textContent: model }));
  if (data.history.trends.length > 0) $("model").value = nameOf(data.history.trends[0].model);

  // Colours tell one thing apart, dashes and points the machine.
  function lineStyle(i, machine) {
    return {
      borderColor: seriesColor(i), backgroundColor: seriesColor(i), borderWidth: 2.5, pointRadius: 4,
      borderDash: [[], [6, 4], [2, 3]][machine % 3], pointStyle: ["circle", "rectRot", "triangle", "rect"][machine % 4],
    };
  }

  // Room for a legend's lines below a chart of the usual height.
  const plotHeight = (count) => `${(innerWidth < 560 ? 270 : 340) + (innerWidth < 560 ? 20 * count : 10 * count)}px`;

  function throughput(model) {
    const rows = data.bench.rows.filter((row) => nameOf(row[0]) === model && row[bench.images_per_second] !== null);
    const batches = [...new Set(rows.map((row) => row[bench.batch]))].sort((a, b) => a - b);
    const setups = [...new Set(rows.map((row) => row[bench.setup]))];
    const lines = new Map();  // of a machine and a configuration: images a second by batch
    for (const row of rows) {
      const key = JSON.stringify([setups.indexOf(row[bench.setup]), row[1]]);
      if (!lines.has(key)) lines.set(key, batches.map(() => null));
      lines.get(key)[batches.indexOf(row[bench.batch])] = row[bench.images_per_second];
    }
    $("batch-figure").hidden = rows.length === 0;
    if (rows.length === 0) return;
    $("batch-chart").parentElement.style.height = plotHeight(lines.size);
    draw("batch-chart", `Line chart: images a second of ${model} over the batch size. The figures are in the table Configurations.`, {
      type: "line",
      data: {
        labels: batches,
        datasets: [...lines].map(([key, values]) => {
          const [setup, machine] = JSON.parse(key);
          return { label: machineCount > 1 ? `${setups[setup]}, ${machineWord(machine)}` : setups[setup], data: values, spanGaps: true, ...lineStyle(setup, machine) };
        }),
      },
      options: { scales: { x: axis("Batch"), y: axis("Images/s", { beginAtZero: true }) }, plugins: { legend: { position: "bottom" } } },
    });
  }

  function profile(model) {
    const own = data.profiles.filter((p) => nameOf(p.model) === model);
    const found = own.find((p) => p.machine === data.machine) ?? own[0];
    $("profile-figure").hidden = !found;
    if (!found) return;
    $("profile-caption").textContent = `Time by step, ms (${found.setup}${machineCount > 1 ? ", " + data.machines[found.machine].name : ""})`;
    $("profile-chart").parentElement.style.height = `${90 + found.steps.length * 17}px`;
    draw("profile-chart", `Bar chart: milliseconds of each step of ${model}.`, {
      type: "bar",
      data: {
        labels: found.steps.map((step) => step[0]),
        datasets: kinds.filter((kind) => found.steps.some((step) => step[1] === kind)).map((kind) => ({
          label: kind.replace("_", " "), backgroundColor: seriesColor(kinds.indexOf(kind)), borderRadius: 2, data: found.steps.map((step) => (step[1] === kind ? step[2] : null)),
        })),
      },
      options: {
        indexAxis: "y",
        scales: { x: axis("ms", { stacked: true }), y: { stacked: true, grid: { display: false }, ticks: { autoSkip: false, font: { size: 11 }, callback(value) { return clipped(this.getLabelForValue(value), innerWidth < 560 ? 24 : 48); } } } },
        plugins: {
          legend: { position: "top", align: "start" },
          tooltip: { callbacks: { afterLabel: (item) => { const step = found.steps[item.dataIndex]; return `${step[3]} % of all` + (step[4] === null ? "" : `; ${step[4]} % of the machine's roof`); } } },
        },
      },
    });
  }

  // The words of a configuration without those that a machine brings along: its instruction set.
  const configurationOf = (trend) => trend.configuration.split(" ").filter((word) => !word.startsWith("isa=")).join(" ");

  // One configuration of a measure: a line a machine.
  function drawTrend(id, model, measure, lines) {
    const commits = [...new Set(lines.flatMap((trend) => trend.points.map((point) => point[0])))].sort((a, b) => data.history.commits[a][1].localeCompare(data.history.commits[b][1]));
    // Machines of very different speed are shown by how they change.
    const relative = lines.length > 1 && measure.startsWith("Latency");
    const what = relative ? "Latency, % of the first commit's" : measure;
    const isaOf = (trend) => trend.configuration.match(/isa=\S+/)?.[0] ?? "";
    const label = (trend) => machineWords.get(trend.machine) + (lines.some((other) => other !== trend && other.machine === trend.machine) ? ", " + isaOf(trend) : "");
    draw(id, `Line chart: ${measure} of ${model} over the commits.`, {
      type: "line",
      data: {
        labels: commits.map((commit) => data.history.commits[commit][0].slice(0, 7)),
        datasets: lines.map((trend, i) => {
          const values = new Map(trend.points);
          const scale = relative ? 100 / trend.points[0][1] : 1;
          return { label: label(trend), data: commits.map((commit) => (values.has(commit) ? values.get(commit) * scale : null)), spanGaps: true, ...lineStyle(i, i) };
        }),
      },
      options: {
        scales: { x: axis("Commit"), y: axis(what, { grace: "15%" }) },
        plugins: {
          legend: { position: "bottom" },
          tooltip: { callbacks: { title: (items) => { const commit = data.history.commits[commits[items[0].dataIndex]]; return `${commit[0]}, ${commit[1].slice(0, 10)}`; } } },
        },
      },
    });
  }

  function trends(model) {
    const box = $("trend-figures");
    box.querySelectorAll("canvas").forEach((canvas) => Chart.getChart(canvas)?.destroy());
    box.replaceChildren();
    const own = data.history.trends.filter((trend) => nameOf(trend.model) === model);
    for (const measure of new Set(own.map((trend) => trend.measure))) {
      const id = "trend-" + box.children.length;
      const all = own.filter((trend) => trend.measure === measure);
      const isReduced = (configuration) => !configuration.includes("precision=fp32");
      const batch = (configuration) => Number(configuration.match(/batch=(\d+)/)?.[1] ?? 0);
      const configurations = [...new Set(all.map(configurationOf))]
        .sort((a, b) => isReduced(a) - isReduced(b) || batch(a) - batch(b) || a.localeCompare(b, "en", { numeric: true }));
      const words = configurations.map((configuration) => configuration.split(" "));
      const choice = element("select", { ariaLabel: "Configuration" });
      configurations.forEach((configuration, i) => {
        const differing = words[i].filter((word) => !words.every((other) => other.includes(word)));
        choice.append(element("option", { value: configuration, textContent: differing.join(", ") || "usual" }));
      });
      choice.hidden = configurations.length === 1;
      const show = () => drawTrend(id, model, measure, all.filter((trend) => configurationOf(trend) === choice.value));
      choice.addEventListener("change", show);
      box.append(element("figure", {}, element("figcaption", {}, `${measure}, over the commits `, choice), element("div", { className: "plot" }, element("canvas", { id, role: "img" }))));
      show();
    }
    return own.length > 0;
  }

  function depth() {
    const model = $("model").value;
    throughput(model);
    profile(model);
    const missing = [];
    if (!trends(model)) missing.push("no history with two commits of this entry was given (--history), so there are no trends");
    if ($("profile-figure").hidden) missing.push("no profile was measured (bench --profile)");
    if ($("batch-figure").hidden) missing.push("no speed was measured");
    const text = missing.join("; ");
    $("depth-missing").textContent = text && text[0].toUpperCase() + text.slice(1) + ".";
  }
  $("model").addEventListener("change", depth);

  // ---- Configurations ----

  $("configurations").hidden = data.bench.rows.length === 0;
  if (data.bench.rows.length > 0) {
    $("configurations-summary").textContent = `All ${data.bench.rows.length} measured configurations`;
    const headers = [{ header: "Model" }, ...(machineCount > 1 ? [{ header: "Machine" }] : []), ...data.bench.columns.map((c) => ({ header: c.header, numeric: !["setup", "warnings"].includes(c.key) }))];
    const fill = () => {
      if ($("configurations-table").firstChild) return;
      const rows = data.bench.rows.map((row) => [plainCell(nameOf(row[0])), ...(machineCount > 1 ? [plainCell(data.machines[row[1]].name)] : []), ...row.slice(2).map((value) => plainCell(value))]);
      $("configurations-table").append(makeTable("All configurations", headers, rows).scroll);
    };
    $("configurations-details").addEventListener("toggle", fill);
  }

  keep(tradeoff);
  if (deep.length > 0) keep(depth);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.addEventListener("beforeprint", () => { document.documentElement.classList.add("printing"); redraw(); });
  window.addEventListener("afterprint", () => { document.documentElement.classList.remove("printing"); redraw(); });
})();
