//! What a deployment and its nodes are: the closed lists that clients of the Core API decode.

use super::word::closed_list;

closed_list! {
    /// The cloud that clients decode from a closed list; on premises it means nothing, and the variant tells the truth.
    Cloud = "aws, gcp" {
        /// Amazon's.
        Aws = "aws",
        /// Google's.
        Gcp = "gcp",
    }
    /// The part of the world.
    Area = "us, eu, ap, ca, sa" {
        /// United States.
        Us = "us",
        /// Europe.
        Eu = "eu",
        /// Asia and the Pacific.
        Ap = "ap",
        /// Canada.
        Ca = "ca",
        /// South America.
        Sa = "sa",
    }
    /// What the data lies on.
    StorageType = "local_ssd, network_balanced, network_optimized, network_extreme" {
        /// A disk of the host.
        LocalSsd = "local_ssd",
        /// A network disk.
        NetworkBalanced = "network_balanced",
        /// A faster one.
        NetworkOptimized = "network_optimized",
        /// The fastest.
        NetworkExtreme = "network_extreme",
    }
    /// Over how many zones it is spread.
    AvailabilityMode = "single_az, multi_az" {
        /// One.
        SingleAz = "single_az",
        /// Several.
        MultiAz = "multi_az",
    }
    /// How a node is reached.
    NodeKind = "local, remote" {
        /// It is this host.
        Local = "local",
        /// An agent on it speaks to the appliance.
        Remote = "remote",
    }
}
