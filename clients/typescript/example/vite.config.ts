import { defineConfig } from "vite";

const target = process.env["RIDES_API"] ?? "http://127.0.0.1:8000";

export default defineConfig({ server: { proxy: { "/v1": { target } } } });
