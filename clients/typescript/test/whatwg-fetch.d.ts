declare module "whatwg-fetch";
