/** What a browser says of where a form was sent from: under `no-referrer` it names no origin (Fetch, append a request Origin header). */
const sentFrom = (page: Headers, {origin}: URL) => ({
	origin: page.get('referrer-policy') === 'no-referrer' ? 'null' : origin,
	'sec-fetch-site': 'same-origin',
});

/** Somebody at a browser: keeps its cookies, follows nothing by itself. */
export const openBrowser = () => {
	let cookie: string | undefined;
	const go = async (url: string, init: {method?: string; headers?: Record<string, string>} = {}) => {
		const response = await fetch(url, {redirect: 'manual', ...init, headers: {...init.headers, ...(cookie !== undefined && {cookie})}});
		const [set] = response.headers.getSetCookie();
		if (set !== undefined) cookie = set.split(';')[0];
		return {status: response.status, headers: response.headers, text: await response.text(), to: response.headers.get('location') ?? ''};
	};
	return {
		go,
		/** Opens a link, says yes, and logs in. Answers where the authorization server sends it back to. */
		async logIn(link: string): Promise<string> {
			const asked = await go(link);
			const action = /action="([^"]+)"/.exec(asked.text)?.[1];
			if (action === undefined) throw new Error(`no form: ${asked.status} ${asked.text}`);
			const at = new URL(link);
			const leaving = await go(`${at.origin}${action}`, {
				method: 'POST',
				headers: {...sentFrom(asked.headers, at), 'content-type': 'application/x-www-form-urlencoded'},
			});
			if (leaving.status !== 303) throw new Error(`not sent on: ${leaving.status} ${leaving.text}`);
			return (await fetch(leaving.to, {redirect: 'manual'})).headers.get('location')!;
		},
	};
};
