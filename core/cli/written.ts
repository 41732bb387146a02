import {InvalidArgumentError} from 'commander';

type Whole = {least?: number; most?: number; of?: string};

/** Reads the value of an option that is a whole number, up to 999,999,999 unless `most` says otherwise. */
export const whole = ({least = 0, most = 999_999_999, of = ''}: Whole = {}): ((written: string) => number) => {
	return written => {
		const value = /^\d{1,15}$/.test(written) ? Number(written) : -1;
		if (value >= least && value <= most) return value;
		throw new InvalidArgumentError(`It is a whole number${of && ` of ${of}`}, ${least} to ${most}.`);
	};
};

/** The object that this JSON is. Throws what it is instead. */
export const objectIn = (json: string): Record<string, unknown> => {
	let value: unknown;
	try {
		value = JSON.parse(json);
	} catch (error) {
		throw new Error(`It is not JSON: ${(error as Error).message}.`);
	}
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	throw new Error('It is not a JSON object.');
};

/** Reads the value of an option that is a JSON object. */
export const object = (written: string): Record<string, unknown> => {
	try {
		return objectIn(written);
	} catch (error) {
		throw new InvalidArgumentError((error as Error).message);
	}
};
