/* The charts of a report. Runs in the reader's browser, from the file itself; nothing is fetched. */
(() => {
  const { flows, agents, events } = JSON.parse(document.getElementById('data').textContent);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const HEIGHT = 190;

  /** 12345678 → 12.3 Mb/s */
  const bits = (value) => {
    if (value == null) return '–';
    for (const [unit, size] of [
      ['Gb/s', 1e9],
      ['Mb/s', 1e6],
      ['kb/s', 1e3],
    ])
      if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
    return `${value.toFixed(0)} b/s`;
  };
  const bytes = (value) => (value == null ? '–' : `${(value / 1e6).toFixed(0)} MB`);
  const percent = (value) => (value == null ? '–' : `${(value * 100).toFixed(1)} %`);
  const clock = (value) => (value == null ? '–' : `${value.toFixed(1)} s`);

  /** A dotted line at each event. */
  const marks = {
    hooks: {
      draw: (chart) => {
        const { ctx, bbox } = chart;
        ctx.save();
        ctx.strokeStyle = colour('quiet');
        ctx.setLineDash([2, 4]);
        ctx.beginPath();
        for (const at of events) {
          const x = chart.valToPos(at, 'x', true);
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
        }
        ctx.stroke();
        ctx.restore();
      },
    },
  };

  const axis = (values, size) => ({
    stroke: colour('quiet'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line') },
    ...(values && { values: (_, ticks) => ticks.map((tick) => values(tick)) }),
    ...(size && { size }),
  });

  const draw = (id, data, series, values, bands = []) => {
    const place = document.getElementById(id);
    const options = {
      width: place.clientWidth,
      height: HEIGHT,
      cursor: { sync: { key: 'run' } },
      scales: { x: { time: false }, y: { range: (_, __, most) => [0, (most || 1) * 1.08] } },
      axes: [axis((tick) => `${tick} s`), axis(values, 78)],
      series: [{ label: 'at', value: (_, value) => clock(value) }, ...series],
      bands,
      plugins: [marks],
    };
    const chart = new uPlot(options, data, place);
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  };

  const rate = (label, more) => ({ label, value: (_, value) => bits(value), spanGaps: false, ...more });
  for (const [index, { seconds, rate: mean, least, most, share }] of flows.entries()) {
    const thin = { stroke: 'transparent', points: { show: false } };
    const series = [
      rate('most', thin),
      rate('least', thin),
      rate('rate', { stroke: colour('measured'), width: 2 }),
      rate('share', { stroke: colour('asked'), width: 2, dash: [6, 4] }),
    ];
    const bands = [{ series: [1, 2], fill: colour('band') }];
    draw(`flow-${index}`, [seconds, most, least, mean, share], series, bits, bands);
  }
  for (const [index, { seconds, cores, memoryBytes }] of agents.entries()) {
    const line = { stroke: colour('measured'), width: 2 };
    const used = { ...line, label: 'processor', value: (_, value) => percent(value) };
    draw(`cores-${index}`, [seconds, cores], [used], percent);
    const memory = { ...line, label: 'memory', value: (_, value) => bytes(value) };
    draw(`memory-${index}`, [seconds, memoryBytes], [memory], bytes);
  }
})();
