import {openWire} from './http.ts';
import type {Site} from './site.ts';
import {type OldWire, openOldWire} from './sse-upstream.ts';
import type {Posting, Wire} from './wire.ts';

/** How a server that speaks the older of the two answers a greeting of the newer one (2025-11-25, transports, backwards compatibility). */
const knowsNoPost = [400, 404, 405];
/** A server that was upgraded is found out within this time. */
const knownMs = 600_000;

/** Speaks streamable HTTP, and where a server knows nothing of that, the HTTP+SSE transport. */
const foundOut = (http: Wire, old: OldWire, now: () => number): Wire => {
	let oldUntil = 0;
	const of = ({headers}: Pick<Posting, 'headers'>): Wire => (old.owns(headers) ? old : http);
	return {
		isGone: headers => old.owns(headers) && old.isGone!(headers),
		async post(message, id, posting, onMessage) {
			if (message.method !== 'initialize') return of(posting).post(message, id, posting, onMessage);
			if (now() < oldUntil) {
				const greeted = await old.post(message, id, posting, onMessage);
				if (greeted.answer) return greeted;
				oldUntil = 0;
			}
			const answered = await http.post(message, id, posting, onMessage);
			if (answered.answer || !knowsNoPost.includes(answered.status)) return answered;
			const greeted = await old.post(message, id, posting, onMessage);
			if (!greeted.answer) return answered;
			oldUntil = now() + knownMs;
			return greeted;
		},
		listen: (posting, onMessage, place) => of(posting).listen(posting, onMessage, place),
		follow: (message, posting, onMessage) => http.follow(message, posting, onMessage),
		drop: headers => of({headers}).drop(headers),
		close: () => old.close(),
	};
};

/** The wire to a server over HTTP: of the transport that is named, or else of the one that it is found to speak. */
export const wireOver = (site: Site, transport: 'http' | 'sse' | undefined, now = Date.now): Wire => {
	if (transport === 'http') return openWire(site);
	const old = openOldWire(site);
	return transport === 'sse' ? old : foundOut(openWire(site), old, now);
};
