FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --omit=dev
COPY . .

FROM node:24-slim
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json /app/README.md ./
COPY --from=build /app/bin ./bin
COPY --from=build /app/portal ./portal
COPY --from=build /app/src ./src
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
ENV WEBPUBSUB_URLS=http://0.0.0.0:8080
# Without WEBPUBSUB_PRIMARY_KEY a key is generated and kept in /data; the start output shows the connection string.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["node", "bin/tidewire.mjs", "health", "http://127.0.0.1:8080"]
ENTRYPOINT ["node", "bin/tidewire.mjs"]
CMD ["start", "--data", "/data"]
