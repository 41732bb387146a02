export type Fields = {[name: string]: unknown};

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The members of an object, or none when the value is not one. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

/** The items of an array, or none when the value is not one. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** The string itself, or '' when the value is not one. */
export const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A whole number of at least 1, or `otherwise`. */
export const countOf = (value: unknown, otherwise: number): number =>
	typeof value === 'number' && Number.isInteger(value) && value >= 1 ? value : otherwise;

/** The value that a JSON text stands for, or undefined when it is not JSON. */
export const parsed = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
};
