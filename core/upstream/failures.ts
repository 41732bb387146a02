import {GatewayError} from '../errors.ts';

/** How far an attempt had come when it failed. */
type Progress = 'not sent' | 'sent' | 'answering';

const codeOf = (thrown: Error): string => ('code' in thrown && typeof thrown.code === 'string' ? thrown.code : '');

/** A connection that ends inside a body: for undici's parser that is a protocol error, too. */
const brokeOff = (thrown: Error, code: string): boolean =>
	code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || (thrown.name === 'HTTPParserError' && /\bEOF\b/.test(thrown.message));

const isMalformed = (thrown: Error, code: string): boolean =>
	thrown.name === 'HTTPParserError' ||
	code === 'UND_ERR_HEADERS_OVERFLOW' ||
	code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
	(code === 'UND_ERR_SOCKET' && thrown.message.startsWith('bad '));

/** What went wrong on the way to a provider or a server, as an error of the catalogue. Names it; never its address, its key, or bytes it sent. */
export const upstreamError = (who: string, thrown: Error, progress: Progress): GatewayError => {
	if (thrown instanceof GatewayError) return thrown;
	const code = codeOf(thrown);
	// Text, not the error itself: a parser error carries the bytes it stumbled over, and those may be content.
	const cause = `${code || thrown.name}: ${thrown.message}`;
	if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
		return new GatewayError('shutting_down', 'The gateway is stopping.', {cause});
	if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
		return new GatewayError('internal', `A request could not be written. ${who} was not asked.`, {cause});
	}
	if (progress === 'not sent') return new GatewayError('upstream_unreachable', `${who} could not be reached.`, {cause});
	if (progress === 'answering' && brokeOff(thrown, code))
		return new GatewayError('upstream_failed', `${who} broke its answer off.`, {cause});
	if (isMalformed(thrown, code)) {
		return new GatewayError('upstream_malformed', `${who} answered with something that is not HTTP/1.1.`, {cause});
	}
	const how = progress === 'answering' ? 'broke its answer off' : 'hung up without an answer';
	return new GatewayError('upstream_failed', `${who} ${how}.`, {cause});
};
