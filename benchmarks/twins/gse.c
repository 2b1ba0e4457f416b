/* GSE of folkmoot/algorithms/gse.py (published radius, p known) over the Erdos-Renyi links of
   folkmoot/world/networks.py, with the loop of folkmoot/simulation/engine.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "coins.h"

typedef struct {
    int64_t replicates, n_agents, n_arms, n_checkpoints;
    const int64_t *checkpoints; /* [n_checkpoints], the last is the horizon */
    const double *means;        /* [n_agents, n_arms] */
    uint32_t seed_low, seed_high;
    int64_t *pulls;      /* [replicates, n_agents, n_arms], zero at first */
    int64_t *team_pulls; /* [replicates, n_checkpoints, n_arms] */
    int64_t *sent;       /* [replicates] */
    double link_probability, connectivity, threshold;
    const int64_t *start, *upper; /* [n_agents + 1], [n_agents] */
    const int32_t *base;          /* [start[n_agents]] neighbours in the base graph */
} Game;

typedef struct {
    double *mean, *gossip, *radius, *inbox; /* [n_agents, n_arms] */
    uint8_t *active, *late_inbox;           /* [n_agents, n_arms] */
    int64_t *count, *arm, *team;            /* [n_agents], [n_agents], [n_arms] */
    double *reward;                         /* [n_agents] */
    int32_t *neighbours;                    /* [start[n_agents]] up in this round */
} State;

static void draw_links(const Game *g, State *s, int64_t t, Block key) {
    int64_t n = g->n_agents, *count = s->count;
    for (int64_t i = 0; i < n; i++) count[i] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t tile = -1;
        Block b = {{0, 0, 0, 0}};
        for (int64_t e = g->upper[i]; e < g->start[i + 1]; e++) {
            int64_t j = g->base[e];
            if (j >> 2 != tile) {
                tile = j >> 2;
                b = philox((uint32_t)t, (uint32_t)i, (uint32_t)tile, LINK, key.w[0], key.w[1]);
            }
            int64_t up = b.w[j & 3] < g->threshold;
            s->neighbours[g->start[i] + count[i]] = (int32_t)j;
            count[i] += up;
            s->neighbours[g->start[j] + count[j]] = (int32_t)i;
            count[j] += up;
        }
    }
}

static double radius(const Game *g, double pulls, double horizon) {
    double n = (double)g->n_agents, p = g->link_probability;
    double tau = n / (p * g->connectivity) * log(horizon);
    double m = pulls - g->n_arms * log(horizon) / p;
    if (!(m > 1.0)) m = 1.0;
    return sqrt(log(horizon) / (n * m)) + (tau + sqrt(n)) / (n * m);
}

static int64_t choose(const uint8_t *active, const int64_t *pulls, int64_t n_arms, int64_t horizon) {
    int64_t best = 0, least = horizon + 1;
    for (int64_t k = 0; k < n_arms; k++)
        if (active[k] && pulls[k] < least) { best = k; least = pulls[k]; }
    return best;
}

static void eliminate(uint8_t *active, const double *gossip, const double *radius, int64_t n_arms) {
    double best = -INFINITY;
    for (int64_t k = 0; k < n_arms; k++)
        if (active[k] && gossip[k] - radius[k] > best) best = gossip[k] - radius[k];
    for (int64_t k = 0; k < n_arms; k++)
        if (gossip[k] + radius[k] < best) active[k] = 0;
}

static void update(const Game *g, State *s, int64_t i, int64_t *pulls, double horizon) {
    int64_t K = g->n_arms, arm = s->arm[i], degree = s->count[i], x = i * K + arm;
    const int32_t *row = s->neighbours + g->start[i];
    double *gossip = s->gossip + i * K, before = s->mean[x];
    pulls[x]++;
    s->mean[x] += (s->reward[i] - before) / pulls[x];
    for (int64_t k = 0; k < K; k++) {
        double total = 0.0;
        for (int64_t e = 0; e < degree; e++) total += s->inbox[row[e] * K + k];
        gossip[k] += (total - degree * gossip[k]) / g->n_agents;
    }
    gossip[arm] += s->mean[x] - before;
    s->radius[x] = radius(g, (double)pulls[x], horizon);
    eliminate(s->active + i * K, gossip, s->radius + i * K, K);
}

static void intersect(const Game *g, State *s, int64_t i) {
    int64_t K = g->n_arms, kept = 0;
    const int32_t *row = s->neighbours + g->start[i];
    uint8_t *active = s->active + i * K;
    for (int64_t k = 0; k < K; k++) {
        if (!active[k]) continue;
        for (int64_t e = 0; e < s->count[i]; e++)
            if (!s->late_inbox[row[e] * K + k]) { active[k] = 0; break; }
        kept += active[k];
    }
    if (kept == 0) memcpy(active, s->late_inbox + i * K, K);
}

static void replicate(const Game *g, State *s, int64_t r) {
    int64_t n = g->n_agents, K = g->n_arms, T = g->checkpoints[g->n_checkpoints - 1], c = 0;
    int64_t *pulls = g->pulls + r * n * K, *checkpoint = g->team_pulls + r * g->n_checkpoints * K;
    Block key = philox((uint32_t)r, 0, 0, 0, g->seed_low, g->seed_high);
    double first = radius(g, 0.0, (double)T);
    memset(s->mean, 0, sizeof(double) * n * K);
    memset(s->gossip, 0, sizeof(double) * n * K);
    memset(s->active, 1, n * K);
    memset(s->team, 0, sizeof(int64_t) * K);
    for (int64_t x = 0; x < n * K; x++) s->radius[x] = first;
    for (int64_t t = 1; t <= T; t++) {
        draw_links(g, s, t, key);
        for (int64_t i = 0; i < n; i++) {
            int64_t arm = s->arm[i] = choose(s->active + i * K, pulls + i * K, K, T);
            s->reward[i] = bernoulli(key, g->means[i * K + arm], t, i, arm);
            for (int64_t k = 0; k < K; k++) s->inbox[i * K + k] = s->gossip[i * K + k];
        }
        for (int64_t i = 0; i < n; i++) {
            s->team[s->arm[i]]++;
            g->sent[r] += s->count[i];
        }
        for (int64_t i = 0; i < n; i++) update(g, s, i, pulls, (double)T);
        memcpy(s->late_inbox, s->active, n * K);
        for (int64_t i = 0; i < n; i++) intersect(g, s, i);
        if (t == g->checkpoints[c]) memcpy(checkpoint + c++ * K, s->team, sizeof(int64_t) * K);
    }
}

void gse(const Game *g) {
    int64_t n = g->n_agents, K = g->n_arms;
    size_t wide = sizeof(double) * n * K;
    State s = {malloc(wide), malloc(wide), malloc(wide), malloc(wide), malloc(n * K), malloc(n * K),
               malloc(8 * n), malloc(8 * n), malloc(8 * K), malloc(8 * n), malloc(4 * (g->start[n] + 1))};
    for (int64_t r = 0; r < g->replicates; r++) replicate(g, &s, r);
    free(s.mean); free(s.gossip); free(s.radius); free(s.inbox); free(s.active); free(s.late_inbox);
    free(s.count); free(s.arm); free(s.team); free(s.reward); free(s.neighbours);
}
