// Daily demand and a forecast curve in, the periods of a chart out. Pure: no DOM, no server, no clock.

frappe.provide("erp_forecast_addon");

erp_forecast_addon.periods = (function () {
	const MS_PER_DAY = 86400000;
	const UNITS = ["day", "week", "month"];
	// How much history stays readable as bars.
	const MOST_HISTORY = { day: 91, week: 53, month: 25 };
	const DAYS_WORTH_WEEKS = 60;

	const day_of = (text) => Math.round(Date.parse(`${text.slice(0, 10)}T00:00:00Z`) / MS_PER_DAY);
	const date_of = (day) => new Date(day * MS_PER_DAY).toISOString().slice(0, 10);

	// First day of the period that holds the day. 1970-01-01 was a Thursday; weeks begin on Monday.
	function start_of(day, unit) {
		if (unit === "day") return day;
		if (unit === "week") return day - ((((day + 3) % 7) + 7) % 7);
		const date = new Date(day * MS_PER_DAY);
		return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / MS_PER_DAY;
	}

	function next_start(start, unit) {
		if (unit === "day") return start + 1;
		if (unit === "week") return start + 7;
		const date = new Date(start * MS_PER_DAY);
		return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / MS_PER_DAY;
	}

	// A forecast by week cannot be shown by day, only by week or month.
	function units_for(pair) {
		const own = pair.forecast ? pair.forecast.period.toLowerCase() : "day";
		return UNITS.slice(UNITS.indexOf(own));
	}

	function first_unit(pair) {
		const units = units_for(pair);
		const days = pair.history ? pair.history.demand.length : 0;
		return units.includes("week") && days > DAYS_WORTH_WEEKS ? "week" : units[0];
	}

	// The two intervals of the band: the quantiles nearest to 80% and 95%.
	function bands_of(curve) {
		const nearest = (level) =>
			curve.levels.reduce(
				(best, each, at) => (Math.abs(each - level) < Math.abs(curve.levels[best] - level) ? at : best),
				0
			);
		return [
			[nearest(0.1), nearest(0.9)],
			[nearest(0.025), nearest(0.975)],
		].map(([low, high]) => ({
			low,
			high,
			percent: Math.round((curve.levels[high] - curve.levels[low]) * 100),
		}));
	}

	function add_history(periods, pair, unit) {
		const { start, demand, out_of_stock } = pair.history;
		const first = day_of(start);
		demand.forEach((qty, at) => {
			const period = period_at(periods, start_of(first + at, unit), unit);
			period.actual = (period.actual || 0) + qty;
			period.days_seen += 1;
			period.days_out += out_of_stock[at] ? 1 : 0;
		});
	}

	function period_at(periods, start, unit) {
		if (!periods.has(start)) {
			const end = next_start(start, unit);
			periods.set(start, { start, end, actual: null, days_seen: 0, days_out: 0, mean: null, band: null });
		}
		return periods.get(start);
	}

	function add_own_forecast(periods, forecast, unit) {
		const { starts, mean, quantiles } = forecast.curve;
		const bands = bands_of(forecast.curve);
		starts.forEach((text, at) => {
			const period = period_at(periods, day_of(text), unit);
			period.mean = mean[at];
			period.band = bands.map((band) => [quantiles[band.low][at], quantiles[band.high][at]]);
		});
	}

	// Sums over a longer period than the forecast's own. Means add up. Half widths of an interval add up as squares, as for
	// independent periods, and the sum's interval is symmetric, as sums tend to be; below zero it is cut. What has already
	// happened in the running period is certain.
	function add_summed_forecast(periods, forecast, unit, as_of) {
		const { starts, mean, quantiles } = forecast.curve;
		const bands = bands_of(forecast.curve);
		const own = forecast.period.toLowerCase();
		const sums = new Map();
		let last_day = as_of;
		starts.forEach((text, at) => {
			const from = day_of(text);
			const until = next_start(from, own);
			last_day = until - 1;
			for (let day = Math.max(from, as_of + 1); day < until; day++) {
				const start = start_of(day, unit);
				if (!sums.has(start)) sums.set(start, { mean: 0, spread: bands.map(() => 0) });
				const sum = sums.get(start);
				const share = 1 / (until - from);
				sum.mean += mean[at] * share;
				bands.forEach((band, which) => {
					sum.spread[which] += share * ((quantiles[band.high][at] - quantiles[band.low][at]) / 2) ** 2;
				});
			}
		});
		for (const [start, sum] of sums) {
			if (next_start(start, unit) - 1 > last_day) continue; // the horizon ends inside it
			const period = period_at(periods, start, unit);
			const so_far = period.actual || 0;
			period.mean = so_far + sum.mean;
			period.band = sum.spread.map((spread) => [
				so_far + Math.max(0, sum.mean - Math.sqrt(spread)),
				so_far + sum.mean + Math.sqrt(spread),
			]);
		}
	}

	// pair: one of the item view's pairs. Returns the periods in order: start, end (day numbers, end exclusive), actual,
	// running (not over on as_of), days_seen, days_out, mean, band [[low, high] of 80%, [low, high] of 95%].
	function of_pair(pair, unit) {
		const periods = new Map();
		const as_of = day_of(pair.as_of);
		if (pair.history) add_history(periods, pair, unit);
		if (pair.forecast) {
			if (pair.forecast.period.toLowerCase() === unit) add_own_forecast(periods, pair.forecast, unit);
			else add_summed_forecast(periods, pair.forecast, unit, as_of);
		}
		const ordered = [...periods.values()].sort((a, b) => a.start - b.start);
		ordered.forEach((period) => (period.running = period.actual !== null && period.end - 1 > as_of));
		const past = ordered.filter((period) => period.start <= as_of).length;
		return ordered.slice(Math.max(0, past - MOST_HISTORY[unit]));
	}

	return { of_pair, units_for, first_unit, bands_of, day_of, date_of, start_of, next_start };
})();
