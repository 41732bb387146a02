import {readFileSync, writeFileSync} from 'node:fs';
import {type InjectionFigures, scoreOwnInjection} from './own-injection.ts';
import {ownRows} from './own-pii.ts';
import {type PiiReport, scoreRows} from './pii.ts';

/** What is known of the guards' quality on the project's own texts: shares of 1, four digits of them. */
export type Figures = Readonly<Record<string, number>>;

/** The seed of the texts that the recorded figures are of. */
export const ownSeed = 20_261_123;

const file = new URL('figures.json', import.meta.url);

const rounded = (share: number): number => Math.round(share * 10_000) / 10_000;

const figuresOf = ({structured, secrets, freeText, lookAlikes}: PiiReport, injection: InjectionFigures): Figures => ({
	'structured precision': rounded(structured.precision),
	'structured recall': rounded(structured.recall),
	'by context precision': rounded(freeText.precision),
	'by context recall': rounded(freeText.recall),
	'secrets precision': rounded(secrets.precision),
	'secrets recall': rounded(secrets.recall),
	'look-alikes left alone': rounded(1 - lookAlikes.reported / lookAlikes.texts),
	'injection recall': rounded(injection.found / injection.attacks),
	'injection harmless left alone': rounded(1 - injection.alarms / injection.harmless),
});

/** Runs the guards over the project's own texts. */
export const measureFigures = async (): Promise<Figures> => figuresOf(scoreRows(ownRows(ownSeed)), await scoreOwnInjection());

export const readFigures = (): Figures => JSON.parse(readFileSync(file, 'utf8')) as Figures;

export const recordFigures = (figures: Figures): void => writeFileSync(file, `${JSON.stringify(figures, undefined, '\t')}\n`);

/** Of the attacks and of the harmless texts there are thirty each: one of them is more than a point. */
const slackOf = (name: string): number => (name.startsWith('injection') ? 0.034 : 0.01);

/** What is more than a point worse than it was (in `injection`, more than one text), or no longer measured. */
export const fallen = (before: Figures, now: Figures): string[] =>
	Object.entries(before)
		.filter(([name, figure]) => !((now[name] ?? 0) >= figure - slackOf(name)))
		.map(([name, figure]) => `${name}: ${now[name] ?? 'not measured'}, was ${figure}`);
