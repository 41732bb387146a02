import {media} from './fields.ts';
import type {JsonObject} from './json.ts';

/** Longer data is a picture, a sound or a file. */
export const longestLabel = 512;

const dataUri = /^data:[^,\s]{0,200};base64,/i;
const base64 = /^[\w+/=\r\n-]*$/;
/** What is base64 and cannot be a list of numbers as well. */
const surelyBase64 = /^[A-Za-z0-9+/]*={0,2}$/;
const manyDigits = /\d{12}/;

/** What of a value would be the bytes of a picture, a sound or a file. */
const bytesOf = (key: string, value: string, holder: JsonObject | unknown[]): string | undefined => {
	if (!media.has(key)) return undefined;
	const uri = dataUri.exec(value.slice(0, 250));
	if (uri) return value.slice(uri[0].length);
	if (key === 'b64_json') return value;
	if (key !== 'data' || Array.isArray(holder)) return undefined;
	return holder.type === 'base64' || typeof holder.format === 'string' || typeof holder.transcript === 'string' ? value : undefined;
};

/**
 * Whether a value is the bytes of a picture, a sound or a file. Where `free` is more than 0, fields are a user's own and their names say nothing:
 * there only what is long and surely bytes is.
 */
export const isMedia = (key: string, value: string, holder: JsonObject | unknown[], free: number): boolean => {
	const bytes = bytesOf(key, value, holder);
	if (bytes === undefined) return false;
	if (free === 0) return base64.test(bytes);
	return bytes.length >= longestLabel && surelyBase64.test(bytes) && !manyDigits.test(bytes);
};
