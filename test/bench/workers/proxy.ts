/** The least that any gateway could do: forwards each request to the engine as it came, and its answer as it comes. */

export default {
  fetch(request: Request, { ENGINE }: { ENGINE: string }): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(`${ENGINE}${pathname}${search}`, request));
  },
};
