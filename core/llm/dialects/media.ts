import {mediaParts} from '../fields.ts';
import {isObject, type JsonObject} from '../json.ts';
import {isOpaque} from '../tokens.ts';

/** What pictures, sounds and files in messages come to. */
export type Media = {
	/** What they can count for beyond the bytes they take in the body; for pictures, at all. */
	tokens: number;
	/** Bytes of the body that are pictures, of strings that are passed over when the body is counted. */
	bytes: number;
	/** Whether there is a sound among them. */
	sounds: boolean;
};

/** The dearest picture either provider counts is under 40,000 tokens; a sound under 10 per second. */
const mediaTokens = 40_000;
/** A file by reference may fill the largest context window there is. */
const referencedTokens = 1_000_000;

const documents: ReadonlySet<string> = new Set(['file', 'input_file', 'document', 'container_upload']);
const pictures: ReadonlySet<string> = new Set(['image', 'image_url', 'input_image']);

const tokensOf = ({type, source, file}: JsonObject): number => {
	if (!documents.has(String(type))) return mediaTokens;
	if (isObject(source) && (source.type === 'base64' || source.type === 'text' || source.type === 'content')) return mediaTokens;
	return isObject(file) && typeof file.file_data === 'string' ? mediaTokens : referencedTokens;
};

/** A picture's own bytes count for nothing: they are looked at, not read. */
const bytesOf = ({type, image_url: url, source}: JsonObject): number => {
	if (!pictures.has(String(type))) return 0;
	const written = isObject(url) ? url.url : isObject(source) ? source.data : url;
	return typeof written === 'string' && isOpaque(written) ? written.length : 0;
};

const add = (media: Media, parts: unknown): void => {
	if (!Array.isArray(parts)) return;
	for (const part of parts as unknown[]) {
		if (!isObject(part)) continue;
		if (typeof part.type !== 'string' || !mediaParts.has(part.type)) {
			add(media, part.content);
			continue;
		}
		media.tokens += tokensOf(part);
		media.bytes += bytesOf(part);
		media.sounds ||= part.type === 'input_audio' || part.type === 'audio';
	}
};

export const mediaOf = (messages: readonly unknown[]): Media => {
	const media: Media = {tokens: 0, bytes: 0, sounds: false};
	for (const message of messages) if (isObject(message)) add(media, message.content);
	return media;
};
