import {getOwnPropertyDescriptor, slice, stringify} from './intrinsics.ts';

/** Plain words from anything that may be thrown, without calling what it defines. */
const wordsOf = (thrown: unknown): string => {
	if (typeof thrown === 'string') return thrown;
	if (typeof thrown !== 'object' || thrown === null) return 'threw something that is not an error';
	const message = getOwnPropertyDescriptor(thrown, 'message')?.value;
	return typeof message === 'string' ? message : 'threw something without a message';
};

const codeOf = (thrown: unknown): string => {
	const code = typeof thrown === 'object' && thrown !== null ? getOwnPropertyDescriptor(thrown, 'sallyport')?.value : undefined;
	return typeof code === 'string' ? code : 'plugin_failed';
};

/** 'F' + {code, message} of anything that may be thrown. Never throws. */
export const failure = (thrown: unknown): string => {
	try {
		// Without a prototype, or a `toJSON` on Object.prototype would write it.
		return `F${stringify({__proto__: null, code: slice(codeOf(thrown), 0, 60), message: slice(wordsOf(thrown), 0, 500)})}`;
	} catch {
		return 'F{"code":"plugin_failed","message":"threw something hostile"}';
	}
};
