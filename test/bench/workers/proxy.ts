/** The minimal gateway: forwards each request to the engine unchanged, and streams its response. */

export default {
  fetch(request: Request, { ENGINE }: { ENGINE: string }): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(`${ENGINE}${pathname}${search}`, request));
  },
};
