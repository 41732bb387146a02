import {GatewayError} from '../errors.ts';
import type {Asker, Credential} from '../oauth/credential.ts';
import type {Answered, Posting, Wire} from './wire.ts';

type Refused = {status: number; challenge: string | undefined};

/**
 * The wire with the credential of each asker on what is sent for it, and of `usual` on what is nobody's in particular. A 401 is answered with another token, once, which sends nothing twice that was carried
 * out: who does not know a caller does nothing for it. What is refused even then is an error that says how to mend it, where anybody can.
 */
export const authorizedWire = (name: string, wire: Wire, credential: Credential, usual: () => Asker): Wire => {
	const attempt = async <T>(token: string, posting: Posting, send: (posting: Posting) => Promise<T>): Promise<{sent: T} | Refused> => {
		let refused: Refused | undefined;
		const onRefused = (status: number, challenge: string | undefined): void => {
			refused = {status, challenge};
		};
		const headers = {...posting.headers, authorization: `Bearer ${token}`};
		try {
			return {sent: await send({...posting, headers, onRefused, apart: own => authorized(posting, own)})};
		} catch (thrown) {
			if (refused) return refused;
			throw thrown;
		}
	};

	const notTaken = async (asker: Asker, {status, challenge}: Refused): Promise<GatewayError> => {
		const lacksScope = /\berror="?insufficient_scope\b/.test(challenge ?? '');
		const mend = status === 401 || lacksScope ? await credential.refusal(asker, challenge) : undefined;
		return mend ?? new GatewayError('upstream_refused', `The MCP server "${name}" does not accept what it is shown.`);
	};

	const authorized = async <T>(posting: Posting, send: (posting: Posting) => Promise<T>): Promise<T> => {
		const {asker = usual()} = posting;
		const token = await credential.token(asker);
		let tried = await attempt(token, posting, send);
		if ('status' in tried && tried.status === 401) tried = await attempt(await credential.renewed(asker, token), posting, send);
		if ('sent' in tried) return tried.sent;
		throw await notTaken(asker, tried);
	};

	return {
		post: (message, id, posting, onMessage) => authorized<Answered>(posting, shown => wire.post(message, id, shown, onMessage)),
		listen: (posting, onMessage, place) => authorized(posting, shown => wire.listen(shown, onMessage, place)),
		follow: (message, posting, onMessage) => authorized(posting, shown => wire.follow(message, shown, onMessage)),
		...(wire.isGone && {isGone: wire.isGone}),
		drop(headers) {
			credential.token(usual()).then(
				token => wire.drop({...headers, authorization: `Bearer ${token}`}),
				// Without a token it ends by itself, some day.
				() => undefined,
			);
		},
		close: () => wire.close(),
	};
};
