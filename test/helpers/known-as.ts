import {type IncomingHttpHeaders, request} from 'node:http';
import {text} from 'node:stream/consumers';

/** Asks a gateway that goes by another name than its address, behind a proxy that ends TLS. */
export const knownAs = ({url}: {url: string}, host: string, path: string, {method = 'GET', ...headers}: Record<string, string> = {}) =>
	new Promise<{status: number | undefined; headers: IncomingHttpHeaders; text: string}>((resolve, reject) => {
		const {hostname, port} = new URL(url);
		request({host: hostname, port, path, method, headers: {host, ...headers}}, async response => {
			resolve({status: response.statusCode, headers: response.headers, text: await text(response)});
		})
			.on('error', reject)
			.end();
	});
