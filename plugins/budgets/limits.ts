import * as z from 'zod';
import {openBook, type Rule} from '../limits/book.ts';
import {notifyAt, scope, timeZone} from '../limits/names.ts';

/** `rolling:5h`: any five hours, wherever they begin. */
export const window = z
	.string()
	.regex(
		/^(minute|hour|day|week|month|quarter|total|rolling:[1-9]\d{0,3}[smhd])$/,
		'minute, hour, day, week, month, quarter, total, or like rolling:5h',
	);

/** Whole micro-dollars have to stay exact. */
export const usd = z.number().min(0).max(1_000_000_000);

const model = z.string().min(1).max(300);

/** From so many percent of a limit on, calls for one model go to another. A star at a model's end stands for the rest. */
const degrade = z.strictObject({at: z.int().min(1).max(100), to: z.record(model, model)});
export type Degrade = z.output<typeof degrade>;

/** What may be said of a limit, beside how high it is. */
export const manner = {
	/** Told, and never refused. */
	soft: z.literal(true).optional(),
	/** What does not fit needs an approval, and is not refused for good. */
	hold: z.literal(true).optional(),
	notifyAt: notifyAt.optional(),
	degrade: degrade.optional(),
	timeZone: timeZone.optional(),
};

export const isOneWay = ({soft, hold}: {soft?: true | undefined; hold?: true | undefined}): boolean => !(soft && hold);
export const notBoth = 'a limit is soft, or it holds, not both';

const rule = z.strictObject({usd: usd.nullable(), ...manner}).refine(isOneWay, notBoth);
const limit = z.union([usd, rule]);

export const config = z.strictObject({
	/** Of a limit that names none. */
	window,
	/** US dollars by account, or by account and window; `*` is for each account that is not named, for itself. */
	limitUsd: z.record(scope, z.union([limit, z.record(window, limit)])).default({}),
	/** UTC when left out. */
	timeZone: timeZone.optional(),
	/** For every limit that says nothing else. */
	notifyAt: notifyAt.default([50, 80, 100]),
	degrade: degrade.optional(),
});
export type Config = z.output<typeof config>;

/** As `set` stores it. */
export type Written = {limitUsd: number | null; window?: string} & Partial<z.output<typeof rule>>;

export type MoneyRule = Rule & {hold?: true; degrade?: Degrade};

export const microUsd = (usd: number): number => Math.round(usd * 1e6);

type OneLimit = z.output<typeof limit>;
type ByWindow = Record<string, OneLimit>;

const isOne = (limits: OneLimit | ByWindow): limits is OneLimit => typeof limits === 'number' || Object.hasOwn(limits, 'usd');

/** What is missing is taken from what the config says of every limit. */
const ruleOf = ({usd, ...rest}: Partial<z.output<typeof rule>> & {usd: number | null}, {notifyAt, degrade}: Config): MoneyRule => ({
	notifyAt,
	...(degrade && {degrade}),
	...rest,
	limit: usd === null ? null : microUsd(usd),
});

const windowsOf = (limits: OneLimit | ByWindow, {window}: Config): ByWindow => (isOne(limits) ? {[window]: limits} : limits);

export const book = openBook<MoneyRule, Config>({
	configured: config =>
		Object.fromEntries(
			Object.entries(config.limitUsd).map(([scope, limits]) => [
				scope,
				Object.fromEntries(
					Object.entries(windowsOf(limits, config)).map(([name, limit]) => [
						name,
						ruleOf(typeof limit === 'number' ? {usd: limit} : limit, config),
					]),
				),
			]),
		),
	read: (row, config) => {
		const {limitUsd, window: _, ...rest} = row as Written;
		return ruleOf({...rest, usd: limitUsd}, config);
	},
	former: (row, config) => {
		const {limitUsd, window = config.window} = row as Written;
		return {name: window, rule: ruleOf({usd: limitUsd}, config)};
	},
});
