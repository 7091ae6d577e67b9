/* The functions of libnvidia-ml.so.1 and libcuda.so.1 that are asked for, on a machine that the environment describes:
   FAKE_GPUS    "UUID,name,code;..." in the order of the bus; the code is what every question to this GPU is answered with.
                A name that ends in "+N" is in MIG mode with N instances.
   FAKE_INIT    what nvmlInit and cuInit answer
   FAKE_FASTEST the numbers of the GPUs in CUDA's own order, "2,0,1" */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gpu { char uuid[96], name[96]; int code, instances, number; struct gpu *whole; };
static struct gpu gpus[16], parts[16][8];
static int count;

static int init(void) {
    char *init_code = getenv("FAKE_INIT"), *text = getenv("FAKE_GPUS");
    count = 0;
    if (init_code && atoi(init_code)) return atoi(init_code);
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", text ? text : "");
    char *rest;
    for (char *one = strtok_r(copy, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
        struct gpu *gpu = &gpus[count];
        memset(gpu, 0, sizeof *gpu);
        gpu->instances = -1;
        sscanf(one, "%95[^,],%95[^,],%d", gpu->uuid, gpu->name, &gpu->code);
        char *mig = strchr(gpu->name, '+');
        if (mig) { gpu->instances = atoi(mig + 1); *mig = 0; }
        for (int n = 0; n < gpu->instances; n++) {
            struct gpu *part = &parts[count][n];
            snprintf(part->uuid, sizeof part->uuid, "MIG-%d%d%s", count, n, gpu->uuid + 6);
            part->number = n; part->instances = -1; part->whole = gpu;
        }
        count++;
    }
    return 0;
}

int nvmlInitWithFlags(unsigned flags) { return init(); }
int nvmlDeviceGetCount_v2(unsigned *out) { *out = count; return 0; }
int nvmlSystemGetDriverVersion(char *out, unsigned size) { snprintf(out, size, "570.1"); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned number, struct gpu **out) { *out = &gpus[number]; return gpus[number].code; }
int nvmlDeviceGetUUID(struct gpu *gpu, char *out, unsigned size) { snprintf(out, size, "%s", gpu->uuid); return gpu->code; }
int nvmlDeviceGetName(struct gpu *gpu, char *out, unsigned size) { snprintf(out, size, "%s", gpu->name); return gpu->code; }
int nvmlDeviceGetMemoryInfo(struct gpu *gpu, unsigned long long *out) {
    out[0] = 80ULL << 30; out[1] = 79ULL << 30; out[2] = 1ULL << 30; return gpu->code;
}
int nvmlDeviceGetUtilizationRates(struct gpu *gpu, unsigned *out) {
    out[0] = 37; out[1] = 0; return gpu->whole ? 3 : gpu->code;
}
int nvmlDeviceGetMigMode(struct gpu *gpu, unsigned *now, unsigned *then) {
    *now = *then = gpu->instances >= 0; return gpu->code;
}
int nvmlDeviceGetMaxMigDeviceCount(struct gpu *gpu, unsigned *out) { *out = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(struct gpu *gpu, unsigned number, struct gpu **out) {
    if ((int)number >= gpu->instances) return 6;
    *out = &parts[gpu - gpus][number];
    return 0;
}
int nvmlDeviceGetGpuInstanceId(struct gpu *part, unsigned *out) { *out = 7 + part->number; return 0; }
int nvmlDeviceGetComputeInstanceId(struct gpu *part, unsigned *out) { *out = 0; return 0; }
int nvmlDeviceGetHandleByUUID(const char *uuid, struct gpu **out) {
    for (int g = 0; g < count; g++) {
        if (!strcmp(uuid, gpus[g].uuid)) { *out = &gpus[g]; return gpus[g].code; }
        for (int n = 0; n < gpus[g].instances; n++)
            if (!strcmp(uuid, parts[g][n].uuid)) { *out = &parts[g][n]; return 0; }
    }
    return 6;
}

int cuInit(unsigned flags) { return getenv("CUDA_VISIBLE_DEVICES") ? 100 : init(); }
int cuDeviceGetCount(int *out) { *out = count; return 0; }
int cuDeviceGet(int *out, int number) {
    char *order = getenv("CUDA_DEVICE_ORDER"), *fastest = getenv("FAKE_FASTEST");
    *out = fastest && !(order && !strcmp(order, "PCI_BUS_ID")) ? fastest[2 * number] - '0' : number;
    return 0;
}
int cuDeviceGetUuid(unsigned char *out, int device) {
    int at = 0;
    for (char *digit = gpus[device].uuid + 4; *digit && at < 32; digit++) {
        if (*digit == '-') continue;
        int value = *digit <= '9' ? *digit - '0' : *digit - 'a' + 10;
        out[at / 2] = at % 2 ? (out[at / 2] | value) : value << 4;
        at++;
    }
    return 0;
}
