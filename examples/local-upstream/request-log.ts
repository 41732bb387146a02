import type {IncomingHttpHeaders} from 'node:http';

export type ReceivedRequest = {
	method: string;
	/** Path and query, as they arrived. */
	path: string;
	headers: IncomingHttpHeaders;
	body: string;
	/** Whether the client left before it had the whole answer. */
	aborted: boolean;
	/** Milliseconds since 1970. */
	at: number;
};

export type Counts = {total: number; models: {[model: string]: number}; inFlight: number; aborted: number};

const keptRequests = 10_000;
const keptBodyChars = 64 * 1024 * 1024;

/** Remembers the last 10,000 requests (fewer when their bodies are large) and counts all of them. */
export const openRequestLog = () => {
	const requests: ReceivedRequest[] = [];
	const models = new Map<string, number>();
	let bodyChars = 0;
	let total = 0;
	let inFlight = 0;
	let aborted = 0;

	return {
		requests,

		received(request: ReceivedRequest) {
			requests.push(request);
			total++;
			bodyChars += request.body.length;
			while (requests.length > keptRequests || (bodyChars > keptBodyChars && requests.length > 1)) {
				bodyChars -= requests.shift()?.body.length ?? 0;
			}
		},

		asked(model: string) {
			models.set(model, (models.get(model) ?? 0) + 1);
		},

		opened() {
			inFlight++;
		},

		closed() {
			inFlight--;
		},

		left(request: ReceivedRequest) {
			request.aborted = true;
			aborted++;
		},

		counts: (): Counts => ({total, models: Object.fromEntries(models), inFlight, aborted}),

		/** Forgets everything but the requests that are still being answered. */
		reset() {
			requests.length = 0;
			models.clear();
			bodyChars = 0;
			total = 0;
			aborted = 0;
		},
	};
};

export type RequestLog = ReturnType<typeof openRequestLog>;
