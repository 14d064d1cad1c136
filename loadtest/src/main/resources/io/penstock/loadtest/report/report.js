'use strict';
// Draws the page from the run's JSON. Text goes in as text, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const run = data.run;
  const page = document.getElementById('page');
  const colours = ['#0969da', '#bf3989', '#1a7f37', '#bc4c00', '#8250df', '#6e7781', '#9a6700', '#cf222e'];
  const width = () => Math.max(320, Math.min(1056, page.clientWidth));

  function add(parent, tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    parent.appendChild(made);
    return made;
  }

  const fixed = value => value === undefined || value === null ? '' : value < 10 ? value.toFixed(3) : value < 100 ? value.toFixed(2) : value.toFixed(1);

  function table(heads, rows) {
    const made = add(add(page, 'div', undefined, 'wide'), 'table');
    const head = add(add(made, 'thead'), 'tr');
    heads.forEach(text => add(head, 'th', text));
    const body = add(made, 'tbody');
    rows.forEach(cells => {
      const row = add(body, 'tr');
      cells.forEach(text => add(row, 'td', String(text)));
    });
  }

  function chart(title, unit, series, values, log) {
    add(page, 'h3', title);
    const at = add(page, 'div');
    if (values[0].length === 0) {
      add(at, 'p', 'nothing was recorded', 'note');
      return;
    }
    new uPlot({
      width: width(),
      height: 260,
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: (u, min, max) => [0, (max || 1) * 1.05] } },
      axes: [{ label: 'seconds since the start of the run' }, { label: unit, size: 70 }],
      series: [{ label: 's', value: (u, v) => v === null || v === undefined ? '' : v.toFixed(1) }].concat(series.map((label, i) => ({
        label,
        stroke: colours[i % colours.length],
        width: 1.5,
        points: { size: 4 },
        value: (u, v) => fixed(v),
      }))),
    }, values, at);
  }

  // Turns of other targets leave gaps, as they should.
  function intervals(target, flow) {
    const points = [];
    run.segments.filter(segment => segment.target === target).forEach(segment => {
      const one = segment.flows.find(each => each.name === flow);
      if (!one) return;
      one.intervals.forEach(each => points.push(each));
      const last = one.intervals.at(-1);
      if (last) points.push({ at_s: last.at_s + one.interval_s, gap: true });
    });
    return points;
  }

  function heatmap(target, flow) {
    const maps = data.heatmaps.filter(map => map.target === target && map.flow === flow);
    const cells = maps.flatMap(map => map.cells);
    add(page, 'h3', 'Heatmap of response times');
    add(page, 'p', 'Darker: more of that interval’s requests. Rows grow by a third each.', 'note');
    const at = add(page, 'div');
    if (cells.length === 0) {
      add(at, 'p', 'nothing was recorded', 'note');
      return;
    }
    const map = maps[0];
    const bottom = row => map.lowest_ms * Math.pow(10, row / map.rows_per_decade);
    const totals = new Map();
    cells.forEach(([x, , count]) => totals.set(x, (totals.get(x) || 0) + count));
    const rows = cells.map(cell => cell[1]);
    const xs = [...totals.keys()].sort((a, b) => a - b);
    const draw = u => {
      const context = u.ctx;
      context.save();
      context.beginPath();
      context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      context.clip();
      cells.forEach(([x, row, count]) => {
        const left = u.valToPos(x, 'x', true);
        const right = u.valToPos(x + map.interval_s, 'x', true);
        const low = u.valToPos(bottom(row), 'y', true);
        const high = u.valToPos(bottom(row + 1), 'y', true);
        context.fillStyle = `rgba(9, 105, 218, ${0.12 + 0.88 * Math.sqrt(count / totals.get(x))})`;
        context.fillRect(left, high, Math.max(1, right - left), Math.max(1, low - high));
      });
      context.restore();
    };
    new uPlot({
      width: width(),
      height: 260,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: [xs[0], xs.at(-1) + map.interval_s] },
        y: { distr: 3, range: [bottom(Math.min(...rows)), bottom(Math.max(...rows) + 1)] },
      },
      axes: [{ label: 'seconds since the start of the run' }, { label: 'ms', size: 70 }],
      series: [{}, { stroke: 'transparent', points: { show: false } }],
      hooks: { draw: [draw] },
    }, [xs, xs.map(() => bottom(Math.min(...rows)))], at);
  }

  add(page, 'h1', run.scenario);
  add(page, 'p', run.description);
  add(page, 'p', `commit ${run.commit}, started ${run.started}, ${run.machine.processors} processors, ${run.machine.os}, JDK ${run.machine.jdk}`, 'note');
  add(page, 'p', run.valid ? 'valid: the generator kept up' : 'INVALID: the generator was the bottleneck; do not quote these figures', 'verdict ' + (run.valid ? 'valid' : 'invalid'));
  run.invalid_because.forEach(reason => add(page, 'p', reason, 'note'));
  run.remarks.forEach(remark => add(page, 'p', remark, 'note'));

  if (run.growth.length) {
    const growing = run.growth.filter(one => one.verdict === 'GROWS');
    add(page, 'p', growing.length ? 'growth: there is some' : 'growth: none seen', 'verdict ' + (growing.length ? 'invalid' : 'valid'));
    table(['process, quantity', 'first', 'last', 'per minute', 'limit', 'verdict'], run.growth.map(one => [
      one.process + ', ' + one.quantity, one.first.toFixed(1), one.last.toFixed(1), one.per_minute === undefined ? '' : one.per_minute.toFixed(3),
      one.limit_per_minute === undefined ? '' : one.limit_per_minute, one.verdict]));
  }

  const ms = of => of.count ? [of.p50, of.p90, of.p99, of.p99_9, of.max].map(fixed) : ['', '', '', '', ''];
  table(
    ['target, flow', 'answers/s', 'MB/s', 'failed', 'p50', 'p90', 'p99', 'p99.9', 'max ms'],
    run.targets.flatMap(target => target.flows.map(flow => [
      target.name + ', ' + flow.name, flow.answers_per_second.toFixed(1), (flow.bytes_per_second / 1e6).toFixed(2), flow.failed, ...ms(flow.response_ms)])));
  add(page, 'p', 'Response times, from the intended start to the last byte.', 'note');

  run.targets.forEach(target => target.flows.forEach(flow => {
    add(page, 'h2', target.name + ', ' + flow.name + ' (' + flow.loop + ' loop)');
    const errors = Object.entries(flow.errors).map(([kind, count]) => count + ' × ' + kind).join(', ');
    if (errors) add(page, 'p', 'failed: ' + errors, 'note');
    const points = intervals(target.name, flow.name);
    const xs = points.map(point => point.at_s);
    const of = (key, name) => points.map(point => point[key] ? point[key][name] : null);
    chart('Percentiles of response time by intended start', 'ms',
      ['p50', 'p90', 'p99', 'p99.9', 'max', 'p99 of service time'],
      [xs, of('response_ms', 'p50'), of('response_ms', 'p90'), of('response_ms', 'p99'), of('response_ms', 'p99_9'), of('response_ms', 'max'), of('service_ms', 'p99')], true);
    heatmap(target.name, flow.name);
    chart('Answers and failures', 'in each interval', ['ended', 'failed'],
      [xs, points.map(p => p.gap ? null : p.ended), points.map(p => p.gap ? null : p.failed)], false);
    const hops = Object.entries(flow.hops_ms);
    if (hops.length) {
      add(page, 'h3', 'Hops');
      add(page, 'p', 'From the answers’ Server-Timing: where the time until their head went.', 'note');
      table(['hop', 'p50', 'p90', 'p99', 'p99.9', 'max ms'], hops.map(([hop, times]) => [hop, ...ms(times)]));
    }
  }));

  const processes = Object.entries(run.processes);
  if (processes.length) {
    add(page, 'h2', 'Processes');
    const shared = column => uPlot.join(processes.map(([, samples]) => [samples.map(s => s[0]), samples.map(s => s[column])]));
    chart('Processors in use', 'processors', processes.map(([name]) => name), shared(1), false);
    chart('Resident memory', 'MB', processes.map(([name]) => name), shared(2), false);
    chart('Heap, as the last collection left it', 'MB', processes.map(([name]) => name), shared(5), false);
    chart('Open files', 'files', processes.map(([name]) => name), shared(3), false);
    chart('Threads', 'threads', processes.map(([name]) => name), shared(4), false);
    add(page, 'h3', 'CPU ms for 1,000 answers');
    const names = processes.map(([name]) => name);
    table(['target', ...names], run.targets.map(target => [target.name, ...names.map(name => fixed(target.cpu_ms_per_1000[name]))]));
  }
  add(page, 'h2', 'Summary');
  add(page, 'pre', data.summary);
})();
