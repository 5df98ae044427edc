// The agent beside your application. Where the project exists, `railway config pull`
// first: what a file leaves out is destroyed, and postgres() may mean another major
// than yours, so of a database that is there keep the lines that pull wrote.
import { defineRailway, github, postgres, preserve, project, service } from "railway/iac";

export default defineRailway((ctx) => {
  const app_db = postgres("Postgres"); // watched
  const store = postgres("anchorwatch-store"); // incidents and messages
  const agent = service("anchorwatch", {
    source: github("anchorwatch/anchorwatch", { branch: "main" }), // its Dockerfile is picked up
    start: "anchorwatch run",
    healthcheck: "/readyz",
    healthcheckTimeout: 60,
    replicas: 1,
    env: {
      ANCHORWATCH_DATABASES__APP__URL: app_db.env.DATABASE_URL,
      ANCHORWATCH_STORE_URL: store.env.DATABASE_URL,
      ANCHORWATCH_API_TOKEN: preserve(),
      ANCHORWATCH_SLACK__WEBHOOK_URL: preserve(),
      ANCHORWATCH_RAILWAY_WEBHOOK_SECRET: preserve(),
      ANCHORWATCH_HEARTBEAT_URL: preserve(),
      ANCHORWATCH_ENVIRONMENTS: "production,staging",
      RAILWAY_DEPLOYMENT_DRAINING_SECONDS: "20",
      RAILWAY_DEPLOYMENT_OVERLAP_SECONDS: "0",
    },
  });

  return project(ctx.projectName ?? "my-app", { resources: [app_db, store, agent] });
});
